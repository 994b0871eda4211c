"""Owner files as the programs write them that have a file open."""


def excel(name, wide=None):
    """An owner file as Excel writes it: 165 bytes, the name twice, padded with blanks."""
    narrow = name.encode("cp1252", "replace")
    wide = name if wide is None else wide
    head = (bytes([len(narrow)]) + narrow).ljust(55)
    return head + len(wide).to_bytes(2, "little") + (wide + " " * 54)[:54].encode("utf-16-le")
