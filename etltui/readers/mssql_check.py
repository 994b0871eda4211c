"""What a SQL Server is asked of its load."""

from etltui.readers.server_check import Questions

_IDLE = (
    "BROKER_EVENTHANDLER",
    "BROKER_RECEIVE_WAITFOR",
    "BROKER_TASK_STOP",
    "BROKER_TO_FLUSH",
    "CHECKPOINT_QUEUE",
    "CLR_AUTO_EVENT",
    "CLR_MANUAL_EVENT",
    "DIRTY_PAGE_POLL",
    "DISPATCHER_QUEUE_SEMAPHORE",
    "FT_IFTS_SCHEDULER_IDLE_WAIT",
    "HADR_FILESTREAM_IOMGR_IOCOMPLETION",
    "LAZYWRITER_SLEEP",
    "LOGMGR_QUEUE",
    "ONDEMAND_TASK_QUEUE",
    "QDS_ASYNC_QUEUE",
    "QDS_PERSIST_TASK_MAIN_LOOP_SLEEP",
    "REQUEST_FOR_DEADLOCK_SEARCH",
    "SLEEP_TASK",
    "SOS_WORK_DISPATCHER",
    "SP_SERVER_DIAGNOSTICS_SLEEP",
    "SQLTRACE_BUFFER_FLUSH",
    "SQLTRACE_INCREMENTAL_FLUSH_SLEEP",
    "WAITFOR",
    "XE_DISPATCHER_WAIT",
    "XE_TIMER_EVENT",
)
"""What its own workers wait for when there is nothing to do."""

QUESTIONS = Questions(
    sessions=(
        "SELECT COUNT(*), SUM(CASE WHEN status = 'running' THEN 1 ELSE 0 END) "
        "FROM sys.dm_exec_sessions WHERE is_user_process = 1"
    ),
    limit="SELECT @@MAX_CONNECTIONS",
    waits=(
        "SELECT TOP 3 wait_type, wait_time_ms / 1000 FROM sys.dm_os_wait_stats "  # noqa: S608 - ours
        f"WHERE wait_type NOT IN ({', '.join(map(repr, _IDLE))}) ORDER BY wait_time_ms DESC"
    ),
    unit="second",
    seen="SELECT HAS_PERMS_BY_NAME(NULL, NULL, 'VIEW SERVER STATE')",
    grant="GRANT VIEW SERVER STATE TO it",
    raise_by="raise sp_configure 'user connections'",
    locks=("lck_",),
    summed=True,
)
