#include "oneproxy/engine/base/sha256.h"

#include <openssl/evp.h>

#include "oneproxy/kernels/base/error.h"

namespace oneproxy {

namespace {

std::string hex_of(const unsigned char* digest, unsigned int size) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (unsigned int i = 0; i < size; ++i) {
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ONEPROXY_ASSERT(EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) == 1);
  return hex_of(digest, size);
}

struct Sha256::Context {
  EVP_MD_CTX* state = EVP_MD_CTX_new();
  ~Context() { EVP_MD_CTX_free(state); }
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  ONEPROXY_ASSERT(context_->state && EVP_DigestInit_ex(context_->state, EVP_sha256(), nullptr) == 1);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) {
  ONEPROXY_ASSERT(EVP_DigestUpdate(context_->state, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  ONEPROXY_ASSERT(EVP_DigestFinal_ex(context_->state, digest, &size) == 1);
  return hex_of(digest, size);
}

std::string sha256_of_texts(std::span<const std::string> texts) {
  std::string bytes;
  for (const auto& text : texts) (bytes += text) += '\0';
  return sha256_hex(bytes);
}

}  // namespace oneproxy
