#include "cli/chunks.h"

#include <cstdint>
#include <string>

#include "cli/option_values.h"

namespace podium::cli {
namespace {

constexpr int64_t kUsual = 500;

}  // namespace

Result<void> CheckChunkSize(const Invocation& invocation) {
  TRY_VOID(IntegerOption(invocation, "chunk-size", kUsual));
  return {};
}

void AddLimit(const Invocation& invocation, http::QueryParameters* parameters) {
  const auto size = IntegerOption(invocation, "chunk-size", kUsual);
  if (size.ok() && *size != 0) parameters->emplace_back("limit", std::to_string(*size));
}

}  // namespace podium::cli
