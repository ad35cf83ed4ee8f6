// From a field's path to its place in a JSON text: what turns a path in a message
// (spec.containers[0].image) into a line of the file that people wrote.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "reflect/field_path.h"

namespace podium::reflect {

// Offsets are bytes from the beginning of the text.
struct JsonPlace {
  size_t key = 0;  // of an element of a list, and of the whole: the same as value
  size_t value = 0;
  size_t end = 0;  // behind the value
  // Everything on the path is there; otherwise this is the nearest ancestor that is.
  bool exact = false;
  // The value is an object or a list.
  bool container = false;

  // What to point people at: a scalar itself, but the key of a container, whose content may begin
  // lines below.
  size_t best() const { return exact && !container ? value : key; }
};

// The nodes of one JSON text, to be asked many times. Takes 20 bytes a node and one pass over the
// text, which must be valid JSON of less than 4 GiB and outlive the locator. A lookup takes time
// linear in the members of the objects on the path.
class JsonLocator {
 public:
  explicit JsonLocator(std::string_view json);

  // Of a key that comes twice, the last one is meant, as it is when decoding.
  JsonPlace Locate(const FieldPath& path) const;
  // What is no path is nowhere: the whole, not exact.
  JsonPlace Locate(std::string_view path) const;

  // The path of the innermost key or value that the byte at `offset` belongs to.
  FieldPath PathAt(size_t offset) const;

 private:
  struct Node {
    uint32_t key;
    uint32_t value;
    uint32_t end;
    uint32_t first_child;
    uint32_t children;
  };

  const Node* FindMember(const Node& object, std::string_view name) const;

  std::string_view json_;
  // Children of one container stand side by side; the whole comes last.
  std::vector<Node> nodes_;
};

}  // namespace podium::reflect
