#pragma once
// cuBLAS and cuBLASLt, loaded at the first matrix product on a GPU. They are not linked: each start of the program
// would load them (0.2 s), none would start where they are missing, and LibTorch's own copy would be shadowed.
#include <cublasLt.h>
#include <cublas_v2.h>

namespace oneproxy::detail {

struct CublasFunctions {
  decltype(&cublasCreate_v2) create;
  decltype(&cublasDestroy_v2) destroy;
  decltype(&cublasDsyrk_v2) dsyrk;
  decltype(&cublasGetStatusString) status_string;
};
// Error, with the remedy, where the library is missing or another version.
const CublasFunctions& cublas();

struct CublasLtFunctions {
  decltype(&cublasLtCreate) create;
  decltype(&cublasLtDestroy) destroy;
  decltype(&cublasLtGetStatusString) status_string;
  decltype(&cublasLtMatmul) matmul;
  decltype(&cublasLtMatmulAlgoGetHeuristic) heuristic;
  decltype(&cublasLtMatmulDescCreate) desc_create;
  decltype(&cublasLtMatmulDescDestroy) desc_destroy;
  decltype(&cublasLtMatmulDescSetAttribute) desc_set;
  decltype(&cublasLtMatrixLayoutCreate) layout_create;
  decltype(&cublasLtMatrixLayoutDestroy) layout_destroy;
  decltype(&cublasLtMatmulPreferenceCreate) preference_create;
  decltype(&cublasLtMatmulPreferenceDestroy) preference_destroy;
  decltype(&cublasLtMatmulPreferenceSetAttribute) preference_set;
};
const CublasLtFunctions& cublas_lt();

}  // namespace oneproxy::detail
