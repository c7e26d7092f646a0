/* What comes with a driver, of a card that computes nothing: libcuda and NVML, as far as
   tensorvar calls them itself. Compiled twice, once under either name. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { CUDA_VERSION = 13000, TENSOR_MAP_BYTES = 128 };

static const unsigned long long MEMORY = 140ull << 30;
static const char DRIVER_VERSION[] = "580.00";
static const char UUID[] = "GPU-00000000-0000-0000-0000-000000000000";

/* libcuda */

int cuDriverGetVersion(int *version) {
    *version = CUDA_VERSION;
    return 0;
}

int cuModuleLoadData(void **module, const void *cubin) {
    static const char ELF[] = {0x7f, 'E', 'L', 'F'};
    *module = (void *)cubin;
    return memcmp(cubin, ELF, sizeof ELF) ? 200 /* CUDA_ERROR_INVALID_IMAGE */ : 0;
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
    *function = module;
    return name[0] ? 0 : 500 /* CUDA_ERROR_NOT_FOUND */;
}

int cuFuncSetAttribute(void *function, int attribute, int value) {
    return 0;
}

int cuTensorMapEncodeTiled(
    void *map, int type, unsigned rank, void *address, const uint64_t *extents,
    const uint64_t *strides, const uint32_t *box, const uint32_t *steps, int interleave,
    int swizzle, int promotion, int fill) {
    memset(map, 0, TENSOR_MAP_BYTES);
    return 0;
}

int cuLaunchKernelEx(const void *config, void *function, void **parameters, void **extra) {
    return 0;
}

int cuGetErrorName(int status, const char **text) {
    *text = "CUDA_ERROR_OF_THE_NULL_CARD";
    return 0;
}

int cuGetErrorString(int status, const char **text) {
    *text = "the null card refuses";
    return 0;
}

/* NVML. The card is the one that entry_points.py describes: its place on the bus is 0:0:0. */

struct pci_info {
    char legacy_id[16];
    unsigned domain, bus, device, device_id, subsystem_id;
    char id[32];
};

struct memory_info {
    unsigned long long total, free, used;
};

int nvmlInitWithFlags(unsigned flags) {
    return 0;
}

int nvmlDeviceGetCount_v2(unsigned *count) {
    *count = 1;
    return 0;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    static char card;
    *handle = &card;
    return 0;
}

int nvmlDeviceGetPciInfo_v3(void *handle, struct pci_info *info) {
    memset(info, 0, sizeof *info);
    return 0;
}

int nvmlDeviceGetUUID(void *handle, char *text, unsigned bytes) {
    strncpy(text, UUID, bytes);
    return 0;
}

int nvmlDeviceGetMemoryInfo(void *handle, struct memory_info *info) {
    *info = (struct memory_info){MEMORY, MEMORY, 0};
    return 0;
}

int nvmlSystemGetCudaDriverVersion_v2(int *version) {
    return cuDriverGetVersion(version);
}

int nvmlSystemGetDriverVersion(char *text, unsigned bytes) {
    strncpy(text, DRIVER_VERSION, bytes);
    return 0;
}
