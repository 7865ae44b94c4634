# LibTorch, which only training needs, for one module that the program loads when it trains: loading LibTorch takes a
# second. Imported targets of our own on the unpacked wheel (tools/fetch_torch.py): TorchConfig.cmake wants the whole
# CUDA toolkit. Sets ONEPROXY_HAVE_TORCH.
set(default OFF)
if(PROJECT_IS_TOP_LEVEL)
  set(default AUTO)
endif()
set(ONEPROXY_TORCH ${default} CACHE STRING "Training with LibTorch: ON, OFF, or AUTO (ON where LibTorch is found)")
set(ONEPROXY_TORCH_CUDA AUTO CACHE STRING "Training on CUDA: ON, OFF, or AUTO (ON where LibTorch's CUDA part is whole)")
set(ONEPROXY_TORCH_ROOT "" CACHE PATH "Folder with LibTorch's torch/; found in build/torch where empty")
if(DEFINED ENV{ONEPROXY_TORCH_ROOT} AND NOT ONEPROXY_TORCH_ROOT)
  set_property(CACHE ONEPROXY_TORCH_ROOT PROPERTY VALUE "$ENV{ONEPROXY_TORCH_ROOT}")  # kept for later configurations
endif()

# Sets ONEPROXY_HAVE_TORCH, or `missing` to what is not there.
function(oneproxy_find_torch)
  set(roots "${PROJECT_BINARY_DIR}/torch" "${PROJECT_SOURCE_DIR}/build/torch")
  if(ONEPROXY_TORCH_ROOT)
    set(roots "${ONEPROXY_TORCH_ROOT}")
  endif()
  set(missing "LibTorch in ${roots}")
  set(root "")
  foreach(candidate ${roots})
    if(EXISTS "${candidate}/torch/include/torch/csrc/api/include/torch/torch.h" AND
       EXISTS "${candidate}/torch/lib/libtorch_cpu.so")
      set(root "${candidate}")
      set(missing "")
      break()
    endif()
  endforeach()
  set(lib "${root}/torch/lib")
  set(toolkit "$ENV{CUDA_HOME}" "$ENV{CUDA_PATH}" "$ENV{CONDA_PREFIX}" /usr/local/cuda)
  set(inside lib64 lib targets/x86_64-linux/lib extras/CUPTI/lib64)

  # What the CPU library is linked with, CUDA or not.
  set(libraries "${lib}/libc10.so")
  set(cuda_libraries "")
  foreach(name libcudart.so.13 libcupti.so.13)
    find_file(found_${name} ${name} NO_CACHE NO_DEFAULT_PATH PATHS "${root}/nvidia/cu13/lib" ${toolkit}
      PATH_SUFFIXES ${inside})
    if(found_${name})
      list(APPEND libraries "${found_${name}}")
    elseif(NOT missing)
      set(missing "${name}, which LibTorch is linked with")
    endif()
  endforeach()
  set(missing "${missing}" PARENT_SCOPE)
  if(missing)
    return()
  endif()

  # The CUDA part comes with a whole installation of the wheel and what it depends on, only.
  set(cuda_missing "")
  if(NOT ONEPROXY_TORCH_CUDA STREQUAL "OFF")
    foreach(name libtorch_cuda.so libc10_cuda.so libtorch_nvshmem.so)
      if(NOT EXISTS "${lib}/${name}")
        list(APPEND cuda_missing ${name})
      endif()
    endforeach()
    foreach(name cu13/libcublas.so.13 cu13/libcublasLt.so.13 cu13/libcusparse.so.12 cu13/libcufft.so.12
                 cu13/libcurand.so.10 cu13/libcufile.so.0 cudnn/libcudnn.so.9 cusparselt/libcusparseLt.so.0
                 nccl/libnccl.so.2)
      get_filename_component(folder ${name} DIRECTORY)
      get_filename_component(file ${name} NAME)
      find_file(found_${file} ${file} NO_CACHE NO_DEFAULT_PATH PATHS "${root}/nvidia/${folder}/lib" ${toolkit}
        PATH_SUFFIXES ${inside})
      if(found_${file})
        list(APPEND cuda_libraries "${found_${file}}")
      else()
        list(APPEND cuda_missing ${file})
      endif()
    endforeach()
  endif()
  if(ONEPROXY_TORCH_CUDA STREQUAL "ON" AND cuda_missing)
    message(FATAL_ERROR "ONEPROXY_TORCH_CUDA=ON, but ${cuda_missing} is missing in ${root}: install the wheel with its "
      "dependencies, `pip install --target DIR torch==2.11.0`, and configure with -DONEPROXY_TORCH_ROOT=DIR")
  endif()

  if(ONEPROXY_TORCH_CUDA STREQUAL "OFF" OR cuda_missing)
    set(cuda 0)
  else()
    set(cuda 1)
    list(APPEND libraries "${lib}/libc10_cuda.so" "${lib}/libtorch_cuda.so" ${cuda_libraries})
  endif()
  set(folders "")
  foreach(file ${libraries} "${lib}/libtorch_cpu.so")
    get_filename_component(folder "${file}" DIRECTORY)
    list(APPEND folders "${folder}")
  endforeach()
  list(REMOVE_DUPLICATES folders)
  add_library(oneproxy_libtorch SHARED IMPORTED)
  set_target_properties(oneproxy_libtorch PROPERTIES IMPORTED_LOCATION "${lib}/libtorch_cpu.so"
    INTERFACE_COMPILE_DEFINITIONS "ONEPROXY_TORCH_CUDA=${cuda}"
    INTERFACE_INCLUDE_DIRECTORIES "${root}/torch/include;${root}/torch/include/torch/csrc/api/include")
  # All of them by name: registrations in a library that nothing refers to would be lost (CUDA), and the program must
  # find those that LibTorch looks for in places of its own.
  target_link_options(oneproxy_libtorch INTERFACE "LINKER:--no-as-needed")
  target_link_libraries(oneproxy_libtorch INTERFACE ${libraries})
  set(ONEPROXY_TORCH_RPATH "${folders}" PARENT_SCOPE)
  set(ONEPROXY_HAVE_TORCH 1 PARENT_SCOPE)
  message(STATUS "oneproxy: training with LibTorch in ${root}, CUDA part: ${cuda}")
endfunction()

set(ONEPROXY_HAVE_TORCH 0)
if(NOT ONEPROXY_TORCH STREQUAL "OFF")
  oneproxy_find_torch()
  if(missing AND ONEPROXY_TORCH STREQUAL "AUTO")
    message(STATUS "oneproxy: without training, there is no ${missing} (tools/fetch_torch.py gets it)")
  elseif(missing)
    message(FATAL_ERROR "ONEPROXY_TORCH=ON, but there is no ${missing}: run tools/fetch_torch.py, or "
      "-DONEPROXY_TORCH=OFF")
  endif()
endif()
