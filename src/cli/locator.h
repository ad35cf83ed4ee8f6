// From a field's path to its place in a JSON text. Validation names fields by path
// (spec.containers[0].image, metadata.annotations[a.b/c]); people need the line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace podium::cli {

struct Place {
  // Bytes from the beginning of the text. For an element of a list, and for the whole, key ==
  // value.
  size_t key = 0;
  size_t value = 0;
  size_t end = 0;  // behind the value
  // Whether everything on the path is there; otherwise this is the nearest ancestor that is.
  bool exact = false;
  // The value is an object or a list.
  bool container = false;

  // What to point people at: a scalar itself, but the key of a container, whose content may begin
  // lines below.
  size_t best() const { return exact && !container ? value : key; }
};

// The nodes of one JSON text, to be asked many times. Takes 20 bytes a node, and one pass over the
// text, which must be valid JSON of less than 4 GiB and outlive the locator.
class Locator {
 public:
  explicit Locator(std::string_view json);

  // Path: names joined by dots, [3] for elements of a list, [key] for entries of a map. "" and
  // "<nil>" are the whole. Of a key that comes twice, the last one is meant.
  Place Locate(std::string_view path) const;

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

}  // namespace podium::cli
