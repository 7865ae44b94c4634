#include "oneproxy/engine/base/sha256.h"

#include <openssl/evp.h>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ONEPROXY_ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) == 1);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

std::string sha256_of_texts(std::span<const std::string> texts) {
  std::string bytes;
  for (const auto& text : texts) (bytes += text) += '\0';
  return sha256_hex(bytes);
}

}  // namespace oneproxy
