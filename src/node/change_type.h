#pragma once

#include <cstdint>

namespace podium::node {

// What a watcher is told of an object.
enum class ChangeType : uint8_t { kAdded, kModified, kDeleted };

}  // namespace podium::node
