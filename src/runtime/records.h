// The records of sandboxes and containers on disk, read back: config.json and state.json are
// messages of the CRI in JSON. Private to this room.
#pragma once

#include <string>

#include "base/result.h"
#include "linux/path.h"
#include "reflect/json.h"

namespace podium::runtime {

inline constexpr size_t kMaxRecord = size_t{64} << 20;

template <class T>
Result<T> ReadRecord(int folder, const std::string& name) {
  TRY(const std::string text, kernel::ReadFile(folder, name, kMaxRecord));
  reflect::DecodeOptions options;
  // Written by a newer version, perhaps.
  options.strict = false;
  return reflect::FromJson<T>(text, options);
}

}  // namespace podium::runtime
