#include "cli/locator.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace podium::cli {
namespace {

// One part of a path.
struct Part {
  std::string_view name;
  std::optional<size_t> index;  // when the name is a number in brackets
};

std::optional<Part> NextPart(std::string_view* path) {
  if (path->empty()) return std::nullopt;
  if (path->starts_with('.')) path->remove_prefix(1);
  Part part;
  if (!path->starts_with('[')) {
    part.name = path->substr(0, path->find_first_of(".["));
    path->remove_prefix(part.name.size());
    return part;
  }
  // A key may hold a bracket; the one that closes is followed by the next part or nothing.
  size_t end = path->find(']');
  while (end != std::string_view::npos && end + 1 < path->size() && (*path)[end + 1] != '.' &&
         (*path)[end + 1] != '[') {
    end = path->find(']', end + 1);
  }
  end = std::min(end, path->size());
  part.name = path->substr(1, end - 1);
  size_t index = 0;
  const char* last = part.name.data() + part.name.size();
  auto [stop, error] = std::from_chars(part.name.data(), last, index);
  if (error == std::errc() && stop == last) part.index = index;
  path->remove_prefix(std::min(end + 1, path->size()));
  return part;
}

// Whether a JSON string, as written between its quotes, is `name`. A name with characters beyond
// ASCII that are written as \uXXXX is not found; its object will do.
bool Matches(std::string_view written, std::string_view name) {
  if (written.find('\\') == std::string_view::npos) return written == name;
  std::string text;
  for (size_t i = 0; i < written.size(); ++i) {
    if (written[i] != '\\') {
      text += written[i];
      continue;
    }
    const char escape = ++i < written.size() ? written[i] : '\0';
    if (escape == 'u') {
      unsigned code = 0;
      std::from_chars(written.data() + i + 1, written.data() + std::min(i + 5, written.size()),
                      code, 16);
      if (code >= 0x80) return false;
      text += static_cast<char>(code);
      i += 4;
    } else {
      constexpr std::string_view kEscapes = "bfnrt";
      constexpr std::string_view kMeant = "\b\f\n\r\t";
      const size_t at = kEscapes.find(escape);
      text += at == std::string_view::npos ? escape : kMeant[at];
    }
  }
  return text == name;
}

// Past the string that starts at `at`.
size_t SkipString(std::string_view json, size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return std::min(at + 1, json.size());
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

// The text is valid, so that commas and colons tell nothing that the rest does not: a string in an
// object that follows '{' or ',' is a key, and the next value belongs to it.
Locator::Locator(std::string_view json) : json_(json) {
  struct Open {
    Node node;
    size_t children;  // where those read so far begin in `pending`
    bool object;
  };
  std::vector<Open> open;
  std::vector<Node> pending;  // nodes whose container is still open
  std::optional<uint32_t> key;

  auto start = [&](size_t at) {
    const auto offset = static_cast<uint32_t>(at);
    Node node{key.value_or(offset), offset, 0, 0, 0};
    key.reset();
    return node;
  };
  for (size_t at = 0; at < json.size();) {
    const char c = json[at];
    if (IsSpace(c) || c == ',' || c == ':') {
      ++at;
    } else if (c == '{' || c == '[') {
      open.push_back({start(at), pending.size(), c == '{'});
      ++at;
    } else if (c == '}' || c == ']') {
      if (open.empty()) return;
      Open closed = open.back();
      open.pop_back();
      closed.node.end = static_cast<uint32_t>(++at);
      closed.node.first_child = static_cast<uint32_t>(nodes_.size());
      closed.node.children = static_cast<uint32_t>(pending.size() - closed.children);
      nodes_.insert(nodes_.end(), pending.begin() + static_cast<ptrdiff_t>(closed.children),
                    pending.end());
      pending.resize(closed.children);
      pending.push_back(closed.node);
    } else if (c == '"' && !open.empty() && open.back().object && !key) {
      key = static_cast<uint32_t>(at);
      at = SkipString(json, at);
    } else {
      Node node = start(at);
      at = c == '"' ? SkipString(json, at)
                    : std::min(json.find_first_of(",:]} \t\r\n", at), json.size());
      node.end = static_cast<uint32_t>(at);
      pending.push_back(node);
    }
  }
  if (!pending.empty()) nodes_.push_back(pending.front());
}

const Locator::Node* Locator::FindMember(const Node& object, std::string_view name) const {
  for (uint32_t i = object.children; i-- > 0;) {
    const Node& child = nodes_[object.first_child + i];
    if (child.key == child.value) return nullptr;  // an element, not a member
    const size_t end = SkipString(json_, child.key);
    if (Matches(json_.substr(child.key + 1, end - child.key - 2), name)) return &child;
  }
  return nullptr;
}

Place Locator::Locate(std::string_view path) const {
  Place place;
  if (nodes_.empty()) return place;
  const Node* node = &nodes_.back();
  if (path == "<nil>") path = {};
  place.exact = true;
  while (std::optional<Part> part = NextPart(&path)) {
    const bool is_list = json_[node->value] == '[';
    const Node* next = nullptr;
    if (!is_list) {
      next = FindMember(*node, part->name);
    } else if (part->index && *part->index < node->children) {
      next = &nodes_[node->first_child + *part->index];
    }
    if (!next) {
      place.exact = false;
      break;
    }
    node = next;
  }
  place.key = node->key;
  place.value = node->value;
  place.end = node->end;
  place.container = json_[node->value] == '{' || json_[node->value] == '[';
  return place;
}

}  // namespace podium::cli
