"""Which class of failure SQL Server's own error numbers stand for."""

from collections.abc import Mapping
from types import MappingProxyType

from etltui.domain.errors import ErrorClass

NATIVES: Mapping[int, ErrorClass] = MappingProxyType(
    {
        102: ErrorClass.SYNTAX,
        105: ErrorClass.SYNTAX,  # a string that does not end
        107: ErrorClass.SYNTAX,
        137: ErrorClass.SYNTAX,  # a variable that is not declared
        156: ErrorClass.SYNTAX,
        195: ErrorClass.SYNTAX,  # no such function
        201: ErrorClass.SYNTAX,  # a procedure without its parameter
        207: ErrorClass.SYNTAX,  # no such column
        208: ErrorClass.SYNTAX,  # no such table
        209: ErrorClass.SYNTAX,  # ambiguous column
        229: ErrorClass.PERMISSION,
        230: ErrorClass.PERMISSION,  # on a column
        262: ErrorClass.PERMISSION,
        297: ErrorClass.PERMISSION,
        300: ErrorClass.PERMISSION,  # VIEW SERVER STATE
        233: ErrorClass.LOST,  # nobody at the other end of the pipe
        241: ErrorClass.VALUE,  # a text that is no date
        242: ErrorClass.VALUE,
        245: ErrorClass.VALUE,  # a text that is no number
        248: ErrorClass.VALUE,
        402: ErrorClass.SYNTAX,
        468: ErrorClass.SYNTAX,  # collations that do not go together
        596: ErrorClass.LOST,  # the session is being killed
        601: ErrorClass.BUSY,  # NOLOCK met rows that moved
        605: ErrorClass.CORRUPT,
        701: ErrorClass.BUSY,  # the server's memory, not ours
        802: ErrorClass.BUSY,
        823: ErrorClass.CORRUPT,
        824: ErrorClass.CORRUPT,
        825: ErrorClass.CORRUPT,
        904: ErrorClass.NO_DATABASE,
        911: ErrorClass.NO_DATABASE,
        916: ErrorClass.PERMISSION,  # the user is not known in the database
        921: ErrorClass.BUSY,  # the database has not been recovered yet
        922: ErrorClass.BUSY,  # it is being recovered
        923: ErrorClass.PERMISSION,  # it is in restricted use
        924: ErrorClass.BUSY,  # it is in use by one user only
        926: ErrorClass.CORRUPT,  # it is suspect
        927: ErrorClass.BUSY,  # it is being restored
        942: ErrorClass.NO_DATABASE,  # it is offline
        945: ErrorClass.CORRUPT,  # files of it are missing
        976: ErrorClass.BUSY,  # a replica that is not to be read now
        978: ErrorClass.PERMISSION,  # a replica for those only who say that they only read
        983: ErrorClass.BUSY,  # an availability group that is changing its roles
        1101: ErrorClass.BUSY,  # tempdb is full
        1105: ErrorClass.BUSY,
        1204: ErrorClass.BUSY,  # no more locks
        1205: ErrorClass.BUSY,  # deadlock
        1222: ErrorClass.BUSY,  # SET LOCK_TIMEOUT
        2812: ErrorClass.SYNTAX,  # no such procedure
        3906: ErrorClass.PERMISSION,  # the database is read-only
        3908: ErrorClass.BUSY,
        3930: ErrorClass.INTERNAL,  # a statement after a failed one is ours
        3948: ErrorClass.BUSY,  # a replica's redo came first
        3951: ErrorClass.PERMISSION,  # snapshot over databases of which one allows none
        3952: ErrorClass.PERMISSION,  # snapshot isolation is not allowed in the database
        3958: ErrorClass.BUSY,  # the version store lost what the snapshot needs
        3960: ErrorClass.BUSY,  # snapshot conflict
        3961: ErrorClass.BUSY,  # the table was altered meanwhile
        3966: ErrorClass.BUSY,
        3980: ErrorClass.TIMEOUT,  # the client has ended the batch
        4060: ErrorClass.NO_DATABASE,
        4064: ErrorClass.NO_DATABASE,  # the user's own database
        5701: ErrorClass.INTERNAL,
        6005: ErrorClass.LOST,  # the server shuts down
        6102: ErrorClass.PERMISSION,  # KILL
        8115: ErrorClass.VALUE,  # a number that is too large
        8120: ErrorClass.SYNTAX,
        8134: ErrorClass.VALUE,  # division by zero
        8152: ErrorClass.VALUE,
        8180: ErrorClass.SYNTAX,  # could not be prepared, whatever is wrong was said before
        8623: ErrorClass.SYNTAX,  # too complex
        8645: ErrorClass.BUSY,  # no memory for the query in time
        8651: ErrorClass.BUSY,
        8657: ErrorClass.BUSY,
        9002: ErrorClass.BUSY,  # the log is full
        10054: ErrorClass.LOST,
        10060: ErrorClass.UNREACHABLE,
        10061: ErrorClass.REFUSED,
        10928: ErrorClass.BUSY,  # Azure's limits
        10929: ErrorClass.BUSY,
        11529: ErrorClass.SYNTAX,  # the columns cannot be told
        17142: ErrorClass.BUSY,  # the service is paused
        17809: ErrorClass.BUSY,  # too many connections
        18401: ErrorClass.BUSY,  # the server is being upgraded
        18451: ErrorClass.LOGIN,  # only administrators at this time
        18452: ErrorClass.LOGIN,  # another domain
        18456: ErrorClass.LOGIN,
        18461: ErrorClass.BUSY,  # single-user mode
        18470: ErrorClass.LOGIN,  # the account is disabled
        18486: ErrorClass.LOGIN,  # the account is locked
        18487: ErrorClass.LOGIN,  # the password has expired
        18488: ErrorClass.LOGIN,  # the password must be changed
        20003: ErrorClass.TIMEOUT,  # FreeTDS's own, from here
        20006: ErrorClass.LOST,
        20009: ErrorClass.UNREACHABLE,
        20017: ErrorClass.LOST,
        40197: ErrorClass.BUSY,  # Azure moves the database
        40501: ErrorClass.BUSY,
        40613: ErrorClass.BUSY,
        40615: ErrorClass.LOGIN,  # Azure's firewall
        49918: ErrorClass.BUSY,
        50000: ErrorClass.SYNTAX,  # RAISERROR of somebody's own
    },
)
"""By number, as in sys.messages; the drivers' own beside."""
