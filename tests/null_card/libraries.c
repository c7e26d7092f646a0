/* The functions of cuBLAS, cuSOLVER and cuFFT that tell their caller something. All others
   do nothing and succeed: libraries.py writes those. Compiled once for each library, and a
   library has the functions of the others, too, which nobody asks it for. */

#include <stddef.h>
#include <stdint.h>

enum { WORK_ITEMS = 64 };

/* Handles must be other than null. */
#define CREATE(name)             \
    int name(intptr_t *handle) { \
        *handle = 1;             \
        return 0;                \
    }

CREATE(cublasCreate_v2)
CREATE(cusolverDnCreate)
CREATE(cusparseCreate)

/* What is on at present: nothing, whatever was set. */
#define GET(name, type)                     \
    int name(intptr_t handle, type *value) { \
        *value = 0;                         \
        return 0;                           \
    }

GET(cublasGetMathMode, int)
GET(cublasGetPointerMode_v2, int)
GET(cublasGetStream_v2, intptr_t)
GET(cusolverDnGetStream, intptr_t)

const char *cublasGetStatusString(int status) {
    return "the null card refuses";
}

int cublasGetVersion_v2(intptr_t handle, int *version) {
    *version = 130000;
    return 0;
}

int cusolverGetProperty(int which, int *value) {
    *value = 12;
    return 0;
}

/* How much memory to bring: *items, in front of which stand so many arguments. */
#define ASK(items)           \
    {                        \
        *items = WORK_ITEMS; \
        return 0;            \
    }
#define ASK_IN_BYTES(device, host)   \
    {                                \
        *device = *host = WORK_ITEMS; \
        return 0;                    \
    }
#define IGNORED intptr_t

#define FACTOR(type)                                                                               \
    int cusolverDn##type##potrf_bufferSize(                                                        \
        IGNORED h, IGNORED uplo, IGNORED n, IGNORED a, IGNORED lda, int *items) ASK(items)         \
    int cusolverDn##type##getrf_bufferSize(                                                        \
        IGNORED h, IGNORED m, IGNORED n, IGNORED a, IGNORED lda, int *items) ASK(items)            \
    int cusolverDn##type##geqrf_bufferSize(                                                        \
        IGNORED h, IGNORED m, IGNORED n, IGNORED a, IGNORED lda, int *items) ASK(items)            \
    int cusolverDn##type##gesvd_bufferSize(IGNORED h, IGNORED m, IGNORED n, int *items) ASK(items) \
    int cusolverDn##type##gesvdj_bufferSize(                                                       \
        IGNORED h, IGNORED job, IGNORED economy, IGNORED m, IGNORED n, IGNORED a, IGNORED lda,     \
        IGNORED s, IGNORED u, IGNORED ldu, IGNORED v, IGNORED ldv, int *items) ASK(items)          \
    int cusolverDn##type##gesvdjBatched_bufferSize(                                                \
        IGNORED h, IGNORED job, IGNORED m, IGNORED n, IGNORED a, IGNORED lda, IGNORED s,           \
        IGNORED u, IGNORED ldu, IGNORED v, IGNORED ldv, int *items) ASK(items)                     \
    int cusolverDn##type##gesvdaStridedBatched_bufferSize(                                         \
        IGNORED h, IGNORED job, IGNORED rank, IGNORED m, IGNORED n, IGNORED a, IGNORED lda,        \
        IGNORED step_a, IGNORED s, IGNORED step_s, IGNORED u, IGNORED ldu, IGNORED step_u,         \
        IGNORED v, IGNORED ldv, IGNORED step_v, int *items) ASK(items)

#define ORTHOGONAL(name)                                                                  \
    int cusolverDn##name##_bufferSize(                                                    \
        IGNORED h, IGNORED m, IGNORED n, IGNORED k, IGNORED a, IGNORED lda, IGNORED tau,  \
        int *items) ASK(items)

#define SYMMETRIC(name)                                                                   \
    int cusolverDn##name##evd_bufferSize(                                                 \
        IGNORED h, IGNORED job, IGNORED uplo, IGNORED n, IGNORED a, IGNORED lda,          \
        IGNORED w, int *items) ASK(items)                                                 \
    int cusolverDn##name##evj_bufferSize(                                                 \
        IGNORED h, IGNORED job, IGNORED uplo, IGNORED n, IGNORED a, IGNORED lda,          \
        IGNORED w, int *items) ASK(items)                                                 \
    int cusolverDn##name##evjBatched_bufferSize(                                          \
        IGNORED h, IGNORED job, IGNORED uplo, IGNORED n, IGNORED a, IGNORED lda,          \
        IGNORED w, int *items) ASK(items)

FACTOR(S) FACTOR(D) FACTOR(C) FACTOR(Z)
ORTHOGONAL(Sorgqr) ORTHOGONAL(Dorgqr) ORTHOGONAL(Cungqr) ORTHOGONAL(Zungqr)
SYMMETRIC(Ssy) SYMMETRIC(Dsy) SYMMETRIC(Che) SYMMETRIC(Zhe)

int cusolverDnXsyevd_bufferSize(
    IGNORED h, IGNORED options, IGNORED job, IGNORED uplo, IGNORED n, IGNORED type_a, IGNORED a,
    IGNORED lda, IGNORED type_w, IGNORED w, IGNORED type, size_t *device, size_t *host)
    ASK_IN_BYTES(device, host)

int cusolverDnXsyevBatched_bufferSize(
    IGNORED h, IGNORED options, IGNORED job, IGNORED uplo, IGNORED n, IGNORED type_a, IGNORED a,
    IGNORED lda, IGNORED type_w, IGNORED w, IGNORED type, size_t *device, size_t *host)
    ASK_IN_BYTES(device, host)

int cusolverDnXgeev_bufferSize(
    IGNORED h, IGNORED options, IGNORED left, IGNORED right, IGNORED n, IGNORED type_a, IGNORED a,
    IGNORED lda, IGNORED type_w, IGNORED w, IGNORED type_left, IGNORED vl, IGNORED ldvl,
    IGNORED type_right, IGNORED vr, IGNORED ldvr, IGNORED type, size_t *device, size_t *host)
    ASK_IN_BYTES(device, host)

/* Plans are numbers. */
int cufftCreate(int *plan) {
    static int last;
    *plan = ++last;
    return 0;
}

int cufftMakePlan1d(IGNORED plan, IGNORED n, IGNORED type, IGNORED batch, size_t *bytes)
    ASK(bytes)

int cufftMakePlanMany(
    IGNORED plan, IGNORED rank, IGNORED n, IGNORED in, IGNORED in_step, IGNORED in_batch,
    IGNORED out, IGNORED out_step, IGNORED out_batch, IGNORED type, IGNORED batch, size_t *bytes)
    ASK(bytes)

int cufftXtMakePlanMany(
    IGNORED plan, IGNORED rank, IGNORED n, IGNORED in, IGNORED in_step, IGNORED in_batch,
    IGNORED in_type, IGNORED out, IGNORED out_step, IGNORED out_batch, IGNORED out_type,
    IGNORED batch, size_t *bytes, IGNORED type) ASK(bytes)
