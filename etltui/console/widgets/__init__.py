"""Parts of the picture that paint their own lines."""
