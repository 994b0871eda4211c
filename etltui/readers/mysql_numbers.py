"""Which class of failure MySQL's and MariaDB's error numbers stand for, whoever reads."""

from collections.abc import Mapping
from types import MappingProxyType

from etltui.domain.errors import ErrorClass

NUMBERS: Mapping[int, ErrorClass] = MappingProxyType(
    {
        1021: ErrorClass.BUSY,  # the server's disk, not ours
        1028: ErrorClass.BUSY,  # a sort was given up
        1030: ErrorClass.CORRUPT,  # the storage engine failed
        1032: ErrorClass.CORRUPT,  # a row that an index names is missing
        1033: ErrorClass.CORRUPT,
        1034: ErrorClass.CORRUPT,  # an index that needs repair
        1035: ErrorClass.CORRUPT,
        1037: ErrorClass.BUSY,  # the server's memory, not ours
        1038: ErrorClass.BUSY,  # no memory to sort
        1040: ErrorClass.BUSY,  # too many connections
        1041: ErrorClass.BUSY,
        1043: ErrorClass.LOST,  # bad handshake
        1044: ErrorClass.PERMISSION,  # this user may not use this database
        1045: ErrorClass.LOGIN,
        1049: ErrorClass.NO_DATABASE,
        1053: ErrorClass.LOST,  # the server shuts down
        1054: ErrorClass.SYNTAX,  # no such column
        1064: ErrorClass.SYNTAX,
        1077: ErrorClass.LOST,
        1079: ErrorClass.LOST,
        1104: ErrorClass.PERMISSION,  # max_join_size: more than this user may look at
        1114: ErrorClass.BUSY,  # a temporary table is full
        1126: ErrorClass.SYNTAX,
        # No class of the login: one blocked host must not lock the credential everywhere.
        1129: ErrorClass.PERMISSION,  # this host is blocked after too many errors
        1130: ErrorClass.PERMISSION,  # this host may not connect
        1132: ErrorClass.LOGIN,
        1142: ErrorClass.PERMISSION,
        1143: ErrorClass.PERMISSION,
        1146: ErrorClass.SYNTAX,  # no such table
        1152: ErrorClass.LOST,
        1153: ErrorClass.VALUE,  # a value is larger than max_allowed_packet
        1158: ErrorClass.LOST,
        1159: ErrorClass.LOST,
        1160: ErrorClass.LOST,
        1161: ErrorClass.LOST,  # net_write_timeout: we took rows too slowly
        1184: ErrorClass.LOST,
        1192: ErrorClass.BUSY,
        1194: ErrorClass.CORRUPT,
        1195: ErrorClass.CORRUPT,
        1203: ErrorClass.BUSY,  # max_user_connections
        1205: ErrorClass.BUSY,  # lock wait timeout
        1206: ErrorClass.BUSY,  # more locks than the lock table holds
        1213: ErrorClass.BUSY,  # deadlock
        1226: ErrorClass.BUSY,  # a limit of this user for an hour, or for connections at once
        1227: ErrorClass.PERMISSION,
        1251: ErrorClass.LOGIN,  # an authentication that PyMySQL does not know
        1264: ErrorClass.VALUE,  # out of range
        1265: ErrorClass.VALUE,
        1275: ErrorClass.LOGIN,
        1290: ErrorClass.PERMISSION,  # --read-only, --secure-file-priv
        1292: ErrorClass.VALUE,  # a text that is no number or moment
        1317: ErrorClass.TIMEOUT,  # somebody at the server ended the query
        1345: ErrorClass.PERMISSION,  # EXPLAIN of a view whose tables this user may not see
        1356: ErrorClass.PERMISSION,  # a view whose definer has no rights any more
        1366: ErrorClass.VALUE,  # likewise
        1370: ErrorClass.PERMISSION,  # a routine that this user may not call
        1406: ErrorClass.VALUE,  # too long
        1411: ErrorClass.VALUE,
        1412: ErrorClass.BUSY,  # the table was altered after the transaction began
        1425: ErrorClass.VALUE,
        1426: ErrorClass.VALUE,
        1427: ErrorClass.VALUE,
        1429: ErrorClass.LOST,  # a server behind the server cannot be reached
        1449: ErrorClass.PERMISSION,  # the definer of a view does not exist
        1461: ErrorClass.BUSY,  # max_prepared_stmt_count
        1524: ErrorClass.LOGIN,
        1615: ErrorClass.BUSY,  # the table changed while the statement was prepared
        1683: ErrorClass.BUSY,
        1690: ErrorClass.VALUE,  # a number out of range
        1698: ErrorClass.LOGIN,  # a user for the machine's own accounts only
        1792: ErrorClass.PERMISSION,  # writing in a read-only transaction
        1820: ErrorClass.LOGIN,  # the password must be changed first
        1836: ErrorClass.PERMISSION,
        1862: ErrorClass.LOGIN,  # the password has expired
        1877: ErrorClass.CORRUPT,
        1907: ErrorClass.BUSY,
        1916: ErrorClass.VALUE,
        1927: ErrorClass.LOST,  # MariaDB: the connection was killed
        1969: ErrorClass.TIMEOUT,  # MariaDB: max_statement_time
        3024: ErrorClass.TIMEOUT,  # MySQL: max_execution_time
        3032: ErrorClass.BUSY,
        3118: ErrorClass.LOGIN,  # the account is locked
        3159: ErrorClass.TLS,  # the server takes encrypted connections only
        3169: ErrorClass.LOST,  # MySQL: the session was killed
        3572: ErrorClass.BUSY,  # NOWAIT
        3955: ErrorClass.LOGIN,  # locked after too many wrong passwords
        4031: ErrorClass.LOST,  # MySQL: idle for too long
        4151: ErrorClass.LOGIN,  # MariaDB: the account is locked
        4166: ErrorClass.SYNTAX,
        4183: ErrorClass.LOST,  # MariaDB: idle in transaction for too long
    }
)
"""The two share one SQLSTATE, HY000, for most of what happens to a session. What is not here is the
statement's own fault; numbers from 2000 to 2999 are those of the client, each of which has its
own."""
