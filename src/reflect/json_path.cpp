#include "reflect/json_path.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "reflect/json_path_node.h"
#include "reflect/number_text.h"

namespace podium::reflect {
namespace {

using Node = JsonPathNode;
using NodeKind = JsonPathNode::Kind;
using Values = JsonPathResults::Values;
using ValueKind = JsonValue::Kind;

// What Go calls the type of a value in an untyped object.
std::string_view GoType(const JsonValue& value) {
  switch (value.kind()) {
    case ValueKind::kNull:
      return "<nil>";
    case ValueKind::kBool:
      return "bool";
    case ValueKind::kNumber:
      return ReadJsonNumber(value.number()).is_integer ? "int64" : "float64";
    case ValueKind::kString:
      return "string";
    case ValueKind::kArray:
      return "[]interface {}";
    case ValueKind::kObject:
      break;
  }
  return "map[string]interface {}";
}

// a against b: negative, 0 or positive; with `problem` set where upstream does not compare.
int Compare(const JsonValue* a, const JsonValue* b, bool ordered, const char** problem) {
  const auto is_basic = [](const JsonValue* v) {
    return v && (v->is_bool() || v->is_number() || v->is_string());
  };
  if (!is_basic(a) || !is_basic(b)) {
    *problem = "invalid type for comparison";
    return 0;
  }
  constexpr const char* kIncompatible = "incompatible types for comparison";
  if (a->kind() != b->kind()) {
    *problem = kIncompatible;
    return 0;
  }
  if (a->is_string()) return a->string().compare(b->string());
  if (a->is_bool()) {
    if (ordered) *problem = "invalid type for comparison";
    return static_cast<int>(a->boolean()) - static_cast<int>(b->boolean());
  }
  const Number x = ReadJsonNumber(a->number());
  const Number y = ReadJsonNumber(b->number());
  if (x.is_integer != y.is_integer) {
    *problem = kIncompatible;
    return 0;
  }
  if (x.is_integer) return x.integer < y.integer ? -1 : static_cast<int>(x.integer > y.integer);
  return x.floating < y.floating ? -1 : static_cast<int>(x.floating > y.floating);
}

std::optional<bool> Passes(std::string_view operation, int compared) {
  if (operation == "==") return compared == 0;
  if (operation == "!=") return compared != 0;
  if (operation == "<") return compared < 0;
  if (operation == "<=") return compared <= 0;
  if (operation == ">") return compared > 0;
  if (operation == ">=") return compared >= 0;
  return std::nullopt;
}

// Every Eval function fills *out and returns true, or sets the error and leaves in *out what
// upstream returns beside its error: the filter for existence looks at nothing else.
class Evaluator {
 public:
  Evaluator(const std::vector<Node>& nodes, const JsonPathOptions& options,
            JsonPathResults* results)
      : nodes_(nodes), options_(options), results_(*results), left_(options.max_values) {}

  // The nodes from `start` on over one value: all of them, or those of one turn of a loop.
  bool Run(const JsonValue* data, size_t start, std::vector<Values>* sets) {
    for (size_t i = start; i < nodes_.size(); ++i) {
      Values found;
      if (!Eval(nodes_[i], {data}, &found)) return false;
      if (ends_ > 0 && ends_ <= loops_) {
        --ends_;
        last_end_ = i;
        return true;
      }
      if (begins_ == 0) {
        sets->push_back(std::move(found));
        continue;
      }
      --begins_;
      ++loops_;
      // A loop over nothing runs once for nobody, to find its end.
      std::vector<Values> unseen;
      if (found.empty() && !Run(nullptr, i + 1, &unseen)) return false;
      for (const JsonValue* value : found) {
        if (!Run(value && value->is_null() ? nullptr : value, i + 1, sets)) return false;
      }
      --loops_;
      if (last_end_ && *last_end_ > i) i = *last_end_;
    }
    return true;
  }

  Error error() { return Error(code_, std::move(error_)); }

 private:
  bool Fail(std::string error) {
    if (code_ != Code::kResourceExhausted) error_ = std::move(error);
    return false;
  }
  bool Add(const JsonValue* value, Values* out) {
    if (left_ == 0) {
      Fail("more than " + std::to_string(options_.max_values) + " values");
      code_ = Code::kResourceExhausted;
      return false;
    }
    --left_;
    out->push_back(value);
    return true;
  }

  bool Eval(const Node& node, Values input, Values* out) {
    switch (node.kind) {
      case NodeKind::kList:
        return EvalList(node, std::move(input), out);
      case NodeKind::kText:
        return Add(&node.literal, out);
      case NodeKind::kLiteral:
        return std::ranges::all_of(input,
                                   [&](const JsonValue*) { return Add(&node.literal, out); });
      case NodeKind::kField:
        return EvalField(node, input, out);
      case NodeKind::kIdentifier:
        return EvalIdentifier(node, std::move(input), out);
      case NodeKind::kArray:
        return EvalArray(node, input, out);
      case NodeKind::kUnion:
        return EvalUnion(node, input, out);
      case NodeKind::kFilter:
        return EvalFilter(node, input, out);
      case NodeKind::kWildcard:
        return std::ranges::all_of(input,
                                   [&](const JsonValue* value) { return AddChildren(value, out); });
      case NodeKind::kRecursive:
        return EvalRecursive(input, out);
    }
    return false;
  }

  bool EvalList(const Node& list, Values input, Values* out) {
    *out = std::move(input);
    for (const Node& node : list.children) {
      Values next;
      const bool good = Eval(node, std::move(*out), &next);
      *out = std::move(next);
      if (!good) return false;
    }
    return true;
  }

  bool EvalIdentifier(const Node& node, Values input, Values* out) {
    if (node.name == "range") {
      ++begins_;
      *out = std::move(input);
      return true;
    }
    if (node.name == "end") {
      if (loops_ == 0) return Fail("not in range, nothing to end");
      ++ends_;
      return true;
    }
    *out = std::move(input);
    return Fail("unrecognized identifier " + node.name);
  }

  bool EvalField(const Node& node, const Values& input, Values* out) {
    if (input.empty()) return true;
    for (const JsonValue* value : input) {
      const JsonValue* member = value ? value->Find(node.name) : nullptr;
      if (member && !Add(member, out)) return false;
    }
    if (!out->empty() || options_.allow_missing_keys) return true;
    return Fail(node.name + " is not found");
  }

  bool EvalArray(const Node& node, const Values& input, Values* out) {
    const auto fail = [&](std::string error) {
      *out = input;
      return Fail(std::move(error));
    };
    for (const JsonValue* value : input) {
      if (!value || value->is_null()) continue;
      if (!value->is_array()) {
        return fail(std::string(GoType(*value)) + " is not array or slice");
      }
      const JsonValue::Array& array = value->array();
      const auto size = static_cast<int64_t>(array.size());
      const auto& [from, to, step] = node.bounds;
      int64_t first = from.known ? from.value : 0;
      if (first < 0) first += size;
      int64_t last = to.known ? to.value : size;
      if (last < 0 || (last == 0 && to.derived)) last += size;
      // As upstream, nothing asked for ends the whole.
      if (first == last) return true;
      const auto out_of_bounds = [&](int64_t index) {
        return fail("array index out of bounds: index " + std::to_string(index) + ", length " +
                    std::to_string(size));
      };
      if (first >= size || first < 0) return out_of_bounds(first);
      if (last > size || last < 0) return out_of_bounds(last - 1);
      if (first > last) {
        return fail("starting index " + std::to_string(first) + " is greater than ending index " +
                    std::to_string(last));
      }
      if (step.known && step.value <= 0) return fail("step must be > 0");
      const int64_t stride = step.known ? std::min(step.value, size) : 1;
      for (int64_t i = first; i < last; i += stride) {
        if (!Add(&array[static_cast<size_t>(i)], out)) return false;
      }
    }
    return true;
  }

  bool EvalUnion(const Node& node, const Values& input, Values* out) {
    for (const Node& list : node.children) {
      Values found;
      if (!EvalList(list, input, &found)) {
        *out = input;
        return false;
      }
      for (const JsonValue* value : found) {
        if (!Add(value, out)) return false;
      }
    }
    return true;
  }

  // The members, elements, or bytes of a text.
  bool AddChildren(const JsonValue* value, Values* out) {
    if (!value) return true;
    if (value->is_array()) {
      return std::ranges::all_of(value->array(),
                                 [&](const JsonValue& element) { return Add(&element, out); });
    }
    if (value->is_object()) {
      return std::ranges::all_of(value->object(), [&](const JsonValue::Member& member) {
        return Add(&member.value, out);
      });
    }
    if (!value->is_string()) return true;
    return std::ranges::all_of(value->string(), [&](char c) {
      const auto byte = static_cast<unsigned>(static_cast<unsigned char>(c));
      return Add(&results_.made.emplace_back(JsonValue::Number(std::to_string(byte))), out);
    });
  }

  // What has something inside, with all that is inside; texts count as such.
  bool EvalRecursive(const Values& input, Values* out) {
    for (const JsonValue* value : input) {
      if (!value) continue;
      Values children;
      if (value->is_string()) {
        if (!value->string().empty() && !Add(value, out)) return false;
        continue;
      }
      if (!AddChildren(value, &children)) return false;
      if (children.empty()) continue;
      if (!Add(value, out) || !EvalRecursive(children, out)) return false;
    }
    return true;
  }

  bool EvalFilter(const Node& node, const Values& input, Values* out) {
    for (const JsonValue* value : input) {
      if (!value || !value->is_array()) {
        std::string shown = "<invalid reflect.Value>";
        if (value) {
          shown.clear();
          AppendGoValue(*value, &shown);
        }
        *out = input;
        return Fail(shown + " is not array or slice and cannot be filtered");
      }
      for (const JsonValue& element : value->array()) {
        bool pass = false;
        if (!Test(node, element, &pass)) {
          if (fails_with_input_) *out = input;
          return false;
        }
        if (pass && !Add(&element, out)) return false;
      }
    }
    return true;
  }

  bool Test(const Node& filter, const JsonValue& element, bool* pass) {
    fails_with_input_ = true;
    Values lefts;
    const bool good = EvalList(filter.children[0], {&element}, &lefts);
    if (filter.name == "exists") {
      *pass = !lefts.empty();
      return code_ != Code::kResourceExhausted;
    }
    if (!good) return false;
    if (lefts.size() > 1) return Fail("can only compare one element at a time");
    if (lefts.empty()) return true;
    Values rights;
    if (!EvalList(filter.children[1], {&element}, &rights)) return false;
    if (rights.size() > 1) return Fail("can only compare one element at a time");
    if (rights.empty()) return true;
    fails_with_input_ = false;
    if (!Passes(filter.name, 0)) return Fail("unrecognized filter operator " + filter.name);
    const char* problem = nullptr;
    const bool ordered = filter.name != "==" && filter.name != "!=";
    const int compared = Compare(lefts[0], rights[0], ordered, &problem);
    if (problem) return Fail(problem);
    *pass = *Passes(filter.name, compared);
    return true;
  }

  const std::vector<Node>& nodes_;
  const JsonPathOptions& options_;
  JsonPathResults& results_;
  size_t left_;
  // As upstream counts: loops that are begun but not entered, entered, and ended but not left.
  size_t begins_ = 0;
  size_t loops_ = 0;
  size_t ends_ = 0;
  std::optional<size_t> last_end_;
  bool fails_with_input_ = false;
  std::string error_;
  Code code_ = Code::kInvalidArgument;
};

constexpr JsonPrintOptions kCompact{.indent = 0, .sort_keys = true, .canonical_numbers = true};

void AppendPrinted(const JsonValue* value, std::string* out) {
  if (!value) {
    *out += "<no value>";
  } else if (value->is_array() || value->is_object()) {
    PrintJson(*value, kCompact, out);
  } else {
    AppendGoValue(*value, out);
  }
}

}  // namespace

JsonPath::JsonPath(std::unique_ptr<JsonPathNode> root) : root_(std::move(root)) {}
JsonPath::JsonPath(JsonPath&&) noexcept = default;
JsonPath& JsonPath::operator=(JsonPath&&) noexcept = default;
JsonPath::~JsonPath() = default;

Result<JsonPath> JsonPath::Parse(std::string_view text) {
  TRY(Node root, ParseJsonPath(text));
  return JsonPath(std::make_unique<Node>(std::move(root)));
}

Result<JsonPathResults> JsonPath::Find(const JsonValue& data,
                                       const JsonPathOptions& options) const {
  JsonPathResults results;
  Evaluator evaluator(root_->children, options, &results);
  if (!evaluator.Run(&data, 0, &results.sets)) return evaluator.error();
  return results;
}

Result<void> JsonPath::Execute(const JsonValue& data, std::string* out,
                               const JsonPathOptions& options) const {
  TRY(const JsonPathResults results, Find(data, options));
  for (const Values& values : results.sets) {
    bool first = true;
    for (const JsonValue* value : values) {
      if (!std::exchange(first, false)) *out += ' ';
      AppendPrinted(value, out);
    }
  }
  return {};
}

Result<void> JsonPath::ExecuteAsJson(const JsonValue& data, std::string* out,
                                     const JsonPathOptions& options) const {
  TRY(const JsonPathResults results, Find(data, options));
  JsonPrintOptions print = kCompact;
  print.indent = 4;
  for (const Values& values : results.sets) {
    JsonValue::Array copies;
    for (const JsonValue* value : values) copies.push_back(value ? *value : JsonValue());
    PrintJson(JsonValue::Of(std::move(copies)), print, out);
    *out += '\n';
  }
  return {};
}

Result<std::string> JsonPath::Cell(const JsonValue& data) const {
  TRY(const JsonPathResults results, Find(data, {.allow_missing_keys = true}));
  std::string out;
  if (results.sets.empty() || results.sets[0].empty()) out = "<none>";
  bool first = out.empty();
  for (const Values& values : results.sets) {
    for (const JsonValue* value : values) {
      if (!std::exchange(first, false)) out += ',';
      AppendGoValue(value ? *value : JsonValue(), &out);
    }
  }
  return out;
}

Result<std::string> RelaxedJsonPath(std::string_view expression) {
  if (expression.empty()) return std::string();
  std::string_view inside = expression;
  if (inside.size() > 2 && inside.front() == '{' && inside.back() == '}') {
    inside = inside.substr(1, inside.size() - 2);
  }
  if (inside.find_first_of("{}") != std::string_view::npos) {
    return Error(Code::kInvalidArgument,
                 "unexpected path string, expected a 'name1.name2' or '.name1.name2' or "
                 "'{name1.name2}' or '{.name1.name2}'");
  }
  if (inside.size() > 1 && inside.front() == '.') inside.remove_prefix(1);
  return "{." + std::string(inside) + '}';
}

void AppendGoValue(const JsonValue& value, std::string* out) {
  switch (value.kind()) {
    case ValueKind::kNull:
      *out += "<nil>";
      return;
    case ValueKind::kBool:
      *out += value.boolean() ? "true" : "false";
      return;
    case ValueKind::kNumber: {
      const Number number = ReadJsonNumber(value.number());
      if (number.is_integer) {
        *out += std::to_string(number.integer);
      } else {
        AppendFloatGeneral(number.floating, out);
      }
      return;
    }
    case ValueKind::kString:
      *out += value.string();
      return;
    case ValueKind::kArray: {
      *out += '[';
      bool first = true;
      for (const JsonValue& element : value.array()) {
        if (!std::exchange(first, false)) *out += ' ';
        AppendGoValue(element, out);
      }
      *out += ']';
      return;
    }
    case ValueKind::kObject: {
      std::vector<const JsonValue::Member*> members;
      for (const JsonValue::Member& member : value.object()) members.push_back(&member);
      std::ranges::sort(members, {}, &JsonValue::Member::key);
      *out += "map[";
      bool first = true;
      for (const JsonValue::Member* member : members) {
        if (!std::exchange(first, false)) *out += ' ';
        *out += member->key + ':';
        AppendGoValue(member->value, out);
      }
      *out += ']';
      return;
    }
  }
}

}  // namespace podium::reflect
