#include "api/validation/harness.h"

#include <boost/json.hpp>
#include <charconv>
#include <variant>

namespace podium::api {
namespace {

namespace json = boost::json;

// One step of a path: a member, or an item.
using Step = std::variant<std::string_view, size_t>;

// Takes what stands before any of `ends`.
std::string_view Take(std::string_view* text, std::string_view ends) {
  const std::string_view taken = text->substr(0, text->find_first_of(ends));
  text->remove_prefix(taken.size());
  return taken;
}

Step TakeStep(std::string_view* path) {
  if (path->starts_with("['")) {
    path->remove_prefix(2);
    const std::string_view key = Take(path, "'");
    path->remove_prefix(2);
    return key;
  }
  if (path->starts_with('[')) {
    path->remove_prefix(1);
    const std::string_view digits = Take(path, "]");
    path->remove_prefix(1);
    size_t index = 0;
    std::from_chars(digits.begin(), digits.end(), index);
    return index;
  }
  if (path->starts_with('.')) path->remove_prefix(1);
  return Take(path, ".[");
}

// The place a step leads to, made if missing.
json::value& At(json::value& parent, const Step& step) {
  if (const auto* index = std::get_if<size_t>(&step)) {
    if (!parent.is_array()) parent.emplace_array();
    json::array& items = parent.get_array();
    if (*index >= items.size()) items.resize(*index + 1);
    return items[*index];
  }
  if (!parent.is_object()) parent.emplace_object();
  return parent.get_object()[std::get<std::string_view>(step)];
}

void Remove(json::value& parent, const Step& step) {
  if (const auto* index = std::get_if<size_t>(&step)) {
    json::array& items = parent.as_array();
    items.erase(items.begin() + static_cast<ptrdiff_t>(*index));
  } else {
    parent.as_object().erase(std::get<std::string_view>(step));
  }
}

void Apply(json::value& root, std::string_view edit) {
  const size_t equals = edit.find('=');
  std::string_view path = edit.substr(0, equals);
  json::value* place = &root;
  for (;;) {
    const Step step = TakeStep(&path);
    if (path.empty() && equals == edit.npos) return Remove(*place, step);
    place = &At(*place, step);
    if (path.empty()) break;
  }
  *place = json::parse(edit.substr(equals + 1));
}

}  // namespace

std::string Edited(std::string_view text, const std::vector<std::string>& edits) {
  json::value root = json::parse(text);
  for (const std::string& edit : edits) Apply(root, edit);
  return json::serialize(root);
}

}  // namespace podium::api
