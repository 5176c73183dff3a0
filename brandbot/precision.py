"""Where torch computes on this machine, and with which numbers it does so fastest."""

from __future__ import annotations


def device() -> str:
    """``cuda`` if there is one, or ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def use_bf16() -> bool:
    """Whether bfloat16 is fast here: recent GPUs, and CPUs with instructions for it."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    built = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    if not built or not _cpu_multiplies_bf16():
        return False
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _cpu_multiplies_bf16() -> bool:
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
