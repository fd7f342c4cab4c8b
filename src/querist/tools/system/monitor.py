"""`system_monitor`: how busy this machine is."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated

from pydantic import BaseModel, Field

from querist.core.context import RunContext
from querist.errors import MissingExtraError
from querist.tools.confined import READ, resolve
from querist.tools.tool import Tool, ToolInput


class SystemMonitorInput(ToolInput):
    interval: float = Field(
        default=0.5, description="Seconds over which processors and network are watched.", gt=0, le=10
    )
    path: Annotated[str | None, READ] = Field(
        default=None, description="Also how full the disk is that holds this path."
    )


class Disk(BaseModel):
    total_bytes: int
    free_bytes: int
    used_percent: float


class SystemState(BaseModel):
    cpu_percent: float
    cpu_percent_each: list[float]
    load_1_5_15: list[float] = Field(description="Processes that wanted to run, over 1, 5 and 15 minutes.")
    memory_total_bytes: int
    memory_available_bytes: int
    memory_used_percent: float
    swap_used_percent: float
    network_sent_bytes_per_second: float
    network_received_bytes_per_second: float
    uptime_seconds: float
    disk: Disk | None


class SystemMonitor(Tool[SystemMonitorInput, SystemState]):
    name = "system_monitor"
    description = """Tell how busy this machine is: processors, memory, network, and the disk that holds a path."""
    permissions = ("file_read",)

    async def run(self, input: SystemMonitorInput, context: RunContext) -> SystemState:
        try:
            import psutil
        except ImportError as error:
            raise MissingExtraError("psutil", "tools", "watch the system") from error
        before, started = psutil.net_io_counters(), time.monotonic()
        each: list[float] = await asyncio.to_thread(psutil.cpu_percent, input.interval, True)
        after, took = psutil.net_io_counters(), time.monotonic() - started
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        disk = None if input.path is None else psutil.disk_usage(str(resolve(input.path)))
        return SystemState(
            cpu_percent=sum(each) / len(each),
            cpu_percent_each=each,
            load_1_5_15=list(psutil.getloadavg()),
            memory_total_bytes=memory.total,
            memory_available_bytes=memory.available,
            memory_used_percent=memory.percent,
            swap_used_percent=swap.percent,
            network_sent_bytes_per_second=(after.bytes_sent - before.bytes_sent) / took,
            network_received_bytes_per_second=(after.bytes_recv - before.bytes_recv) / took,
            uptime_seconds=time.time() - psutil.boot_time(),
            disk=None
            if disk is None
            else Disk(total_bytes=disk.total, free_bytes=disk.free, used_percent=disk.percent),
        )
