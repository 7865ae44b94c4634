#include "oneproxy/kernels/base/cublas.cuh"
#include "oneproxy/kernels/base/shared_library.h"

namespace oneproxy::detail {
namespace {

// Of the major version that the headers are of: as the system finds it, then where it was when this was built.
SharedLibrary load(const std::string& name) {
  const std::string file = "lib" + name + ".so." + std::to_string(CUBLAS_VER_MAJOR);
  return SharedLibrary({file, std::string(ONEPROXY_CUDA_LIBRARIES) + "/" + file}, file,
                       "install the CUDA libraries of version " + std::to_string(CUBLAS_VER_MAJOR) +
                           ", name their folder in LD_LIBRARY_PATH, or use backend = \"cpu\"");
}

template <class Function>
void find(const SharedLibrary& library, const char* name, Function*& function) {
  function = library.function<Function>(name);
}

}  // namespace

const CublasFunctions& cublas() {
  static const CublasFunctions functions = [] {
    const SharedLibrary library = load("cublas");
    CublasFunctions f{};
    find(library, "cublasCreate_v2", f.create);
    find(library, "cublasDestroy_v2", f.destroy);
    find(library, "cublasDsyrk_v2", f.dsyrk);
    find(library, "cublasGetStatusString", f.status_string);
    return f;
  }();
  return functions;
}

const CublasLtFunctions& cublas_lt() {
  static const CublasLtFunctions functions = [] {
    const SharedLibrary library = load("cublasLt");
    CublasLtFunctions f{};
    find(library, "cublasLtCreate", f.create);
    find(library, "cublasLtDestroy", f.destroy);
    find(library, "cublasLtGetStatusString", f.status_string);
    find(library, "cublasLtMatmul", f.matmul);
    find(library, "cublasLtMatmulAlgoGetHeuristic", f.heuristic);
    find(library, "cublasLtMatmulDescCreate", f.desc_create);
    find(library, "cublasLtMatmulDescDestroy", f.desc_destroy);
    find(library, "cublasLtMatmulDescSetAttribute", f.desc_set);
    find(library, "cublasLtMatrixLayoutCreate", f.layout_create);
    find(library, "cublasLtMatrixLayoutDestroy", f.layout_destroy);
    find(library, "cublasLtMatmulPreferenceCreate", f.preference_create);
    find(library, "cublasLtMatmulPreferenceDestroy", f.preference_destroy);
    find(library, "cublasLtMatmulPreferenceSetAttribute", f.preference_set);
    return f;
  }();
  return functions;
}

}  // namespace oneproxy::detail
