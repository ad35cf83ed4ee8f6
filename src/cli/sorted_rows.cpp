// kubectl's --sort-by (upstream's k8s.io/kubectl/pkg/cmd/get, sorter.go).
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "api/quantity.h"
#include "cli/json_members.h"
#include "cli/table_printer.h"
#include "reflect/go_text.h"
#include "reflect/json_path.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

double NumberOf(const JsonValue& value) {
  double number = 0;
  const std::string& text = value.number();
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool TextLess(const std::string& a, const std::string& b) {
  const auto x = api::Quantity::Parse(a);
  const auto y = api::Quantity::Parse(b);
  if (x.ok() && y.ok()) return *x < *y;
  return a < b;
}

// What a row is sorted by; what has nothing there stands first.
using SortKey = std::optional<JsonValue>;

bool KeyLess(const SortKey& a, const SortKey& b) {
  if (!a || !b) return !a && b;
  if (a->is_number() && b->is_number()) return NumberOf(*a) < NumberOf(*b);
  if (a->is_string() && b->is_string()) return TextLess(a->string(), b->string());
  if (a->is_bool() && b->is_bool()) return !a->boolean() && b->boolean();
  return a->kind() < b->kind();
}

Result<reflect::JsonPath> PathOf(std::string_view text) {
  TRY(const std::string relaxed, reflect::RelaxedJsonPath(text));
  return reflect::JsonPath::Parse(relaxed);
}

// Sorts `elements`; what of each is looked into is `part`, or all of it.
Result<void> SortBy(JsonValue::Array* elements, const char* part, std::string_view text) {
  TRY(const reflect::JsonPath path, PathOf(text));
  struct Keyed {
    SortKey key;
    size_t place;
    const JsonValue* element;
  };
  std::vector<Keyed> keyed;
  bool found = elements->empty();
  for (const JsonValue& element : *elements) {
    const JsonValue* object = part ? element.Find(part) : &element;
    SortKey key;
    if (object) {
      TRY(const auto results, path.Find(*object, {.allow_missing_keys = true}));
      const bool has = !results.sets.empty() && !results.sets[0].empty() && results.sets[0][0];
      if (has && !results.sets[0][0]->is_null()) key = *results.sets[0][0];
    }
    found = found || key;
    keyed.push_back({std::move(key), keyed.size(), &element});
  }
  if (!found) {
    return Error(Code::kInvalidArgument, "couldn't find any field with path " +
                                             reflect::GoQuoted(*reflect::RelaxedJsonPath(text)) +
                                             " in the list of objects");
  }
  std::ranges::sort(keyed, [](const Keyed& a, const Keyed& b) {
    if (KeyLess(a.key, b.key)) return true;
    return !KeyLess(b.key, a.key) && a.place < b.place;
  });
  JsonValue::Array sorted;
  for (const Keyed& each : keyed) sorted.push_back(*each.element);
  *elements = std::move(sorted);
  return {};
}

}  // namespace

Result<void> SortTable(JsonValue* table, std::string_view path) {
  JsonValue* rows = table->Find("rows");
  if (!rows || !rows->is_array()) return {};
  return SortBy(&rows->array(), "object", path);
}

Result<void> SortItems(JsonValue* list, std::string_view path) {
  JsonValue* items = list->Find("items");
  if (!items || !items->is_array()) return {};
  return SortBy(&items->array(), nullptr, path);
}

}  // namespace podium::cli
