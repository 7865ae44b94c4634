"""What people call the devices of the public data; the keys of a store stay as the published files are named."""

from __future__ import annotations

GTX, RTX = "GeForce GTX", "GeForce RTX"
NAMES = {
    # HELP; a batch size behind the name is said apart
    "1080ti": f"{GTX} 1080 Ti",
    "2080ti": f"{RTX} 2080 Ti",
    "titan_rtx": "Titan RTX",
    "titan_xp": "Titan Xp",
    "titanx": "Titan X",
    "titanxp": "Titan Xp",
    "essential_ph_1": "Essential PH-1",
    "eyeriss": "Eyeriss",
    "fpga": "Xilinx ZC706 FPGA",
    "gold_6226": "Xeon Gold 6226",
    "gold_6240": "Xeon Gold 6240",
    "silver_4114": "Xeon Silver 4114",
    "silver_4210r": "Xeon Silver 4210R",
    "pixel3": "Pixel 3",
    "raspi4": "Raspberry Pi 4",
    "samsung_a50": "Galaxy A50",
    "samsung_s7": "Galaxy S7",
    # OneProxy: eagle_* of Eagle, rice_* of HW-NAS-Bench, true_* of nn-Meter
    "eagle_cpu_855": "Snapdragon 855 CPU",
    "eagle_dsp_855": "Snapdragon 855 DSP",
    "eagle_gpu_855": "Snapdragon 855 GPU",
    "eagle_gtx": f"{GTX} 1080 Ti",
    "eagle_i7": "Core i7-7820X",
    "eagle_jetson": "Jetson Nano",
    "eagle_jetson_16": "Jetson Nano (fp16)",
    "eagle_tpu": "Edge TPU (Eagle)",
    "rice_edgegpu": "Jetson TX2",
    "rice_edgetpu": "Edge TPU (HW-NAS-Bench)",
    "rice_eyeriss": "Eyeriss",
    "rice_fpga": "Xilinx ZC706 FPGA",
    "rice_pixel3": "Pixel 3",
    "rice_raspi4": "Raspberry Pi 4",
    "true_630": "Adreno 630 GPU",
    "true_640": "Adreno 640 GPU",
    "true_a76": "Cortex-A76 CPU",
    "true_vpu": "Myriad VPU",
    # Eagle
    "desktop-cpu-core-i7-7820x-fp32": "Core i7-7820X",
    # Accel-NASBench
    "3090": f"{RTX} 3090",
    "a100": "A100",
    "tpuv2": "TPU v2",
    "tpuv3": "TPU v3",
    "zcu102": "Xilinx ZCU102 FPGA",
    "zcu102_throughput": "Xilinx ZCU102 FPGA (throughput)",
}


def long_name(device: str, batch: int) -> str:
    """"GeForce RTX 2080 Ti (batch 32)"; "" of a device that this list does not know."""
    if device in NAMES:
        return NAMES[device]
    found = NAMES.get(device.removesuffix(f"_{batch}"), "")
    return f"{found} (batch {batch})" if found else ""
