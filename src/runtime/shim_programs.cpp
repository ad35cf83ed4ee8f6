#include "runtime/shim_programs.h"

namespace podium::runtime {
namespace internal {

// Generated from the built programs (tools/embed_program.py).
extern const unsigned char kShimBytes[];
extern const size_t kShimSize;
extern const unsigned char kInfraBytes[];
extern const size_t kInfraSize;

}  // namespace internal

std::span<const std::byte> ShimProgram() {
  return {reinterpret_cast<const std::byte*>(internal::kShimBytes), internal::kShimSize};
}

std::span<const std::byte> InfraProgram() {
  return {reinterpret_cast<const std::byte*>(internal::kInfraBytes), internal::kInfraSize};
}

}  // namespace podium::runtime
