#include "reflect/json_locator.h"

#include <algorithm>
#include <optional>
#include <string>

#include "reflect/json_scanner.h"

namespace podium::reflect {
namespace {

// Past the string that starts at `at`.
size_t SkipString(std::string_view json, size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return std::min(at + 1, json.size());
}

// The string that starts at `at`, unescaped.
std::string StringAt(std::string_view json, size_t at) {
  JsonScanner scanner(json.substr(at));
  std::string buffer;
  std::string_view text;
  bool clean = true;
  return scanner.ReadString(&text, &buffer, &clean) ? std::string(text) : std::string();
}

// Whether the JSON string that starts at `at` is `name`.
bool IsStringAt(std::string_view json, size_t at, std::string_view name) {
  const std::string_view inner = json.substr(at + 1, SkipString(json, at) - at - 2);
  if (inner.find('\\') == std::string_view::npos) return inner == name;
  return StringAt(json, at) == name;
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

// The text is valid, so that commas and colons tell nothing that the rest does not: a string in an
// object that follows '{' or ',' is a key, and the next value belongs to it.
JsonLocator::JsonLocator(std::string_view json) : json_(json) {
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

const JsonLocator::Node* JsonLocator::FindMember(const Node& object, std::string_view name) const {
  for (uint32_t i = object.children; i-- > 0;) {
    const Node& child = nodes_[object.first_child + i];
    if (IsStringAt(json_, child.key, name)) return &child;
  }
  return nullptr;
}

JsonPlace JsonLocator::Locate(const FieldPath& path) const {
  JsonPlace place;
  if (nodes_.empty()) return place;
  const Node* node = &nodes_.back();
  place.exact = true;
  for (const PathStep& step : path.steps()) {
    const Node* next = nullptr;
    if (json_[node->value] == '{') {
      next = FindMember(*node, step.name);
    } else if (json_[node->value] == '[' && step.index && *step.index < node->children) {
      next = &nodes_[node->first_child + *step.index];
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

JsonPlace JsonLocator::Locate(std::string_view path) const {
  const auto parsed = FieldPath::Parse(path);
  JsonPlace place = Locate(parsed.ok() ? *parsed : FieldPath());
  place.exact = place.exact && parsed.ok();
  return place;
}

FieldPath JsonLocator::PathAt(size_t offset) const {
  std::vector<PathStep> steps;
  const Node* node = nodes_.empty() ? nullptr : &nodes_.back();
  while (node) {
    const Node* next = nullptr;
    for (uint32_t i = 0; i < node->children && !next; ++i) {
      const Node& child = nodes_[node->first_child + i];
      if (offset < child.key || offset >= child.end) continue;
      next = &child;
      PathStep& step = steps.emplace_back();
      if (json_[node->value] == '[') {
        step.name = std::to_string(i);
        step.index = i;
      } else {
        step.name = StringAt(json_, child.key);
      }
    }
    node = next;
  }
  return FieldPath(std::move(steps));
}

}  // namespace podium::reflect
