// From a composed YAML document to JSON text: follows aliases, merges, and turns keys into strings.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "reflect/base64.h"
#include "reflect/json.h"
#include "reflect/number_text.h"
#include "reflect/yaml_tree.h"

namespace podium::reflect {
namespace {

using NodeKind = YamlNode::Kind;
using ScalarType = YamlScalar::Type;

// How much of a document may come from aliases, as go-yaml decides it (decode.go): the larger the
// document, the less.
double AllowedAliasRatio(double visits) {
  constexpr double kLow = 400'000;
  constexpr double kHigh = 4'000'000;
  if (visits <= kLow) return 0.99;
  if (visits >= kHigh) return 0.10;
  return 0.99 - 0.89 * ((visits - kLow) / (kHigh - kLow));
}

// A mapping's key, as a JSON member name.
struct Key {
  std::string text;
  ScalarType type = ScalarType::kString;

  friend bool operator==(const Key&, const Key&) = default;
};

// A member of a mapping, once merge keys are followed.
struct Member {
  Key key;
  uint32_t key_node;
  uint32_t value_node;
  bool merged;   // not written in this mapping itself
  bool aliased;  // reached through an alias
  bool duplicate = false;
};

// The members of a mapping that has merge keys, in the order in which their keys came first.
struct MergedMembers {
  std::vector<Member> members;
  std::unordered_map<std::string, size_t> index;  // by JSON name: the last member of that name
};

class Converter {
 public:
  Converter(YamlTree& tree, const YamlReadOptions& options, YamlDocument* document)
      : tree_(tree), options_(options), document_(*document), json_(document->json) {}

  std::optional<YamlFailure> Convert() {
    if (!Value(0, 0)) return std::move(failure_);
    return {};
  }

 private:
  bool Value(uint32_t index, size_t depth);
  bool FollowAlias(uint32_t index, size_t depth);
  bool Scalar(const YamlNode& node);
  bool Sequence(const YamlNode& node, size_t depth);
  bool Mapping(const YamlNode& node, size_t depth);
  bool WriteMembers(const std::vector<Member>& members, size_t depth);
  void FindDuplicates(std::vector<Member>& members);
  void NoteDuplicate(const Member& member, size_t offset);

  // Both add what a mapping holds; Merge takes the value of a merge key.
  bool Collect(const YamlNode& mapping, bool merged, size_t depth, MergedMembers* out);
  bool Merge(uint32_t index, bool in_list, size_t depth, MergedMembers* out);
  void AddMember(Member member, MergedMembers* out);

  bool Resolve(const YamlNode& node, YamlScalar* scalar, std::string* text);
  bool ReadKey(uint32_t index, uint32_t value, Key* key);
  bool IsMerge(const YamlNode& node) const;
  bool HasMerge(const YamlNode& mapping) const;
  uint32_t Next(uint32_t index) const { return tree_.nodes[index].next; }

  // Counts a node as upstream's decoder does.
  bool Visit(const YamlNode& node);
  bool CheckAliasBytes(const YamlNode& node);
  void EnterAlias() {
    if (alias_depth_++ == 0) alias_start_ = json_.size();
  }
  void LeaveAlias() {
    if (--alias_depth_ == 0) alias_bytes_ += json_.size() - alias_start_;
  }
  void AddPosition(const YamlNode& node) {
    if (options_.positions) document_.positions.Add(json_.size(), node.position());
  }
  bool Fail(const YamlNode& node, std::string problem,
            YamlFailure::Prefix prefix = YamlFailure::Prefix::kYaml,
            Code code = Code::kInvalidArgument);
  bool FailTooDeep(const YamlNode& node) {
    return Fail(node, fmt::format("exceeded max depth of {}", options_.max_depth),
                YamlFailure::Prefix::kYaml, Code::kResourceExhausted);
  }
  bool FailAliases(const YamlNode& node) {
    return Fail(node, "document contains excessive aliasing", YamlFailure::Prefix::kYaml,
                Code::kResourceExhausted);
  }
  bool FailContainsItself(const YamlNode& alias) {
    return Fail(alias, fmt::format("anchor '{}' value contains itself", tree_.text(alias)));
  }

  YamlTree& tree_;
  const YamlReadOptions& options_;
  YamlDocument& document_;
  std::string& json_;
  YamlFailure failure_;
  uint64_t visits_ = 0;
  uint64_t alias_visits_ = 0;
  size_t alias_depth_ = 0;
  size_t alias_start_ = 0;
  size_t alias_bytes_ = 0;
};

bool Converter::Fail(const YamlNode& node, std::string problem, YamlFailure::Prefix prefix,
                     Code code) {
  failure_.code = code;
  failure_.problem = std::move(problem);
  failure_.position = node.position();
  failure_.prefix = prefix;
  return false;
}

bool Converter::Visit(const YamlNode& node) {
  ++visits_;
  if (alias_depth_ > 0) ++alias_visits_;
  const auto visits = static_cast<double>(visits_);
  if (alias_visits_ > 100 && visits_ > 1000 &&
      static_cast<double>(alias_visits_) / visits > AllowedAliasRatio(visits)) {
    return FailAliases(node);
  }
  return true;
}

bool Converter::CheckAliasBytes(const YamlNode& node) {
  if (alias_depth_ == 0) return true;
  if (alias_bytes_ + json_.size() - alias_start_ <= options_.max_alias_bytes) return true;
  return FailAliases(node);
}

bool Converter::Value(uint32_t index, size_t depth) {
  YamlNode& node = tree_.nodes[index];
  if (!Visit(node)) return false;
  if (depth > options_.max_depth) return FailTooDeep(node);
  switch (node.kind) {
    case NodeKind::kAlias:
      return FollowAlias(index, depth);
    case NodeKind::kScalar:
      AddPosition(node);
      return Scalar(node) && CheckAliasBytes(node);
    case NodeKind::kSequence:
    case NodeKind::kMapping: {
      AddPosition(node);
      node.open = true;
      const bool good =
          node.kind == NodeKind::kSequence ? Sequence(node, depth) : Mapping(node, depth);
      node.open = false;
      return good && CheckAliasBytes(node);
    }
  }
  return false;
}

bool Converter::FollowAlias(uint32_t index, size_t depth) {
  const YamlNode& alias = tree_.nodes[index];
  if (tree_.nodes[alias.target].open) return FailContainsItself(alias);
  EnterAlias();
  const bool good = Value(alias.target, depth);
  LeaveAlias();
  return good;
}

bool Converter::Resolve(const YamlNode& node, YamlScalar* scalar, std::string* text) {
  const std::string_view written = tree_.text(node);
  text->clear();
  if (node.tag == YamlTag::kNone && !node.plain) {
    *scalar = YamlScalar{};
    *text = written;
    return true;
  }
  YamlTag found = YamlTag::kString;
  const auto resolved = ResolveYamlScalar(node.tag, written, &found);
  if (!resolved) {
    return Fail(node, fmt::format("cannot decode {} `{}` as a {}", YamlTagName(found), written,
                                  YamlTagName(node.tag)));
  }
  *scalar = *resolved;
  switch (scalar->type) {
    case ScalarType::kNull:
      *text = "null";
      break;
    case ScalarType::kBool:
      *text = scalar->boolean ? "true" : "false";
      break;
    case ScalarType::kInt:
      *text = std::to_string(scalar->integer);
      break;
    case ScalarType::kUint:
      *text = std::to_string(scalar->unsigned_integer);
      break;
    case ScalarType::kFloat:
      break;
    case ScalarType::kString:
      if (scalar->tag != YamlTag::kBinary) {
        *text = written;
      } else if (DecodeBase64(written, text)) {
        return Fail(node, "!!binary value contains invalid base64 data");
      }
      break;
  }
  return true;
}

bool Converter::Scalar(const YamlNode& node) {
  YamlScalar scalar;
  std::string text;
  if (!Resolve(node, &scalar, &text)) return false;
  if (scalar.type == ScalarType::kString) {
    AppendJsonString(text, &json_);
  } else if (scalar.type != ScalarType::kFloat) {
    json_ += text;
  } else if (std::isfinite(scalar.floating)) {
    AppendFloatJson(scalar.floating, &json_);
  } else {
    AppendFloatGeneral(scalar.floating, &text);
    return Fail(node, "json: unsupported value: " + text, YamlFailure::Prefix::kNone);
  }
  return true;
}

bool Converter::Sequence(const YamlNode& node, size_t depth) {
  json_ += '[';
  for (uint32_t child = node.first_child; child != 0; child = tree_.nodes[child].next) {
    if (child != node.first_child) json_ += ',';
    if (!Value(child, depth + 1)) return false;
  }
  json_ += ']';
  return true;
}

bool Converter::IsMerge(const YamlNode& node) const {
  return node.kind == NodeKind::kScalar && tree_.text(node) == "<<" &&
         (node.plain || node.tag == YamlTag::kMerge);
}

bool Converter::ReadKey(uint32_t index, uint32_t value, Key* key) {
  if (!Visit(tree_.nodes[index])) return false;
  const YamlNode& written = tree_.nodes[index];
  if (written.kind == NodeKind::kAlias) {
    if (tree_.nodes[written.target].open) return FailContainsItself(written);
    index = written.target;
  }
  const YamlNode& node = tree_.nodes[index];
  if (node.kind != NodeKind::kScalar) {
    return Fail(written, "invalid map key: " + ShowAsGo(tree_, index));
  }
  YamlScalar scalar;
  if (!Resolve(node, &scalar, &key->text)) return false;
  key->type = scalar.type;
  if (scalar.type == ScalarType::kFloat) {
    // As upstream, with the digits of a 32-bit float.
    const auto narrow = static_cast<float>(scalar.floating);
    if (std::isnan(narrow)) {
      key->text = ".nan";
    } else if (std::isinf(narrow)) {
      key->text = narrow > 0 ? ".inf" : "-.inf";
    } else {
      AppendFloatGeneral(narrow, &key->text);
    }
  } else if (scalar.type == ScalarType::kNull || scalar.type == ScalarType::kUint) {
    const bool is_null = scalar.type == ScalarType::kNull;
    const std::string shown = ShowAsGo(tree_, value);
    return Fail(written,
                fmt::format("unsupported map key of type: {}, key: {}, value: {}",
                            is_null ? "%!s(<nil>)" : "uint64",
                            is_null ? "<nil>" : fmt::format("{:#x}", scalar.unsigned_integer),
                            shown == "interface {}(nil)" ? "<nil>" : shown),
                YamlFailure::Prefix::kNone);
  }
  return true;
}

bool Converter::HasMerge(const YamlNode& mapping) const {
  for (uint32_t key = mapping.first_child; key != 0; key = Next(Next(key))) {
    if (IsMerge(tree_.nodes[key])) return true;
  }
  return false;
}

bool Converter::Mapping(const YamlNode& node, size_t depth) {
  if (HasMerge(node)) {
    MergedMembers merged;
    return Collect(node, false, depth, &merged) && WriteMembers(merged.members, depth);
  }
  std::vector<Member> members;
  for (uint32_t key = node.first_child; key != 0; key = Next(Next(key))) {
    Member& member = members.emplace_back(Member{{}, key, Next(key), false, false});
    if (!ReadKey(key, Next(key), &member.key)) return false;
  }
  FindDuplicates(members);
  return WriteMembers(members, depth);
}

void Converter::NoteDuplicate(const Member& member, size_t offset) {
  std::string shown = member.key.text;
  if (member.key.type == ScalarType::kString) {
    shown.clear();
    AppendGoString(member.key.text, &shown);
  }
  document_.duplicates.push_back({std::move(shown), tree_.nodes[member.key_node].position(), offset,
                                  static_cast<int>(tree_.nodes[member.value_node].line)});
}

void Converter::FindDuplicates(std::vector<Member>& members) {
  std::vector<uint32_t> order(members.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::tie(members[a].key.text, members[a].key.type, a) <
           std::tie(members[b].key.text, members[b].key.type, b);
  });
  for (size_t i = 1; i < order.size(); ++i) {
    if (members[order[i - 1]].key == members[order[i]].key) members[order[i]].duplicate = true;
  }
}

// As go-yaml does, each member of a merged mapping is set at the place of the merge key: it
// replaces what was written before it, and is replaced by what is written behind it.
void Converter::AddMember(Member member, MergedMembers* out) {
  const auto [found, is_new] = out->index.try_emplace(member.key.text, out->members.size());
  if (is_new) {
    out->members.push_back(std::move(member));
    return;
  }
  Member& old = out->members[found->second];
  member.duplicate = true;
  if (!old.merged && !member.merged) {
    found->second = out->members.size();
    out->members.push_back(std::move(member));
  } else {
    old = std::move(member);
  }
}

bool Converter::Collect(const YamlNode& mapping, bool merged, size_t depth, MergedMembers* out) {
  for (uint32_t key = mapping.first_child; key != 0; key = Next(Next(key))) {
    const uint32_t value = Next(key);
    if (IsMerge(tree_.nodes[key])) {
      if (!Merge(value, false, depth + 1, out)) return false;
      continue;
    }
    Member member{{}, key, value, merged, alias_depth_ > 0};
    if (!ReadKey(key, value, &member.key)) return false;
    AddMember(std::move(member), out);
  }
  return true;
}

bool Converter::Merge(uint32_t index, bool in_list, size_t depth, MergedMembers* out) {
  YamlNode& node = tree_.nodes[index];
  if (!Visit(node)) return false;
  if (depth > options_.max_depth) return FailTooDeep(node);
  if (node.kind == NodeKind::kMapping) {
    node.open = true;
    const bool good = Collect(node, true, depth, out);
    node.open = false;
    return good;
  }
  if (node.kind == NodeKind::kAlias && tree_.nodes[node.target].kind == NodeKind::kMapping) {
    if (tree_.nodes[node.target].open) return FailContainsItself(node);
    EnterAlias();
    const bool good = Merge(node.target, in_list, depth, out);
    LeaveAlias();
    return good;
  }
  if (node.kind == NodeKind::kSequence && !in_list) {
    // The first mapping of a list wins, so it is set last.
    std::vector<uint32_t> elements;
    for (uint32_t child = node.first_child; child != 0; child = Next(child)) {
      elements.push_back(child);
    }
    for (size_t i = elements.size(); i-- > 0;) {
      if (!Merge(elements[i], true, depth + 1, out)) return false;
    }
    return true;
  }
  return Fail(node, "map merge requires map or sequence of maps as the value");
}

bool Converter::WriteMembers(const std::vector<Member>& members, size_t depth) {
  json_ += '{';
  bool first = true;
  for (const Member& member : members) {
    if (!std::exchange(first, false)) json_ += ',';
    AddPosition(tree_.nodes[member.key_node]);
    if (member.aliased) EnterAlias();
    const size_t offset = json_.size();
    AppendJsonString(member.key.text, &json_);
    json_ += ':';
    const bool good = Value(member.value_node, depth + 1);
    if (member.aliased) LeaveAlias();
    if (!good) return false;
    if (member.duplicate) NoteDuplicate(member, offset);
  }
  json_ += '}';
  return true;
}

}  // namespace

std::optional<YamlFailure> ConvertYamlTree(YamlTree* tree, const YamlReadOptions& options,
                                           YamlDocument* document) {
  document->json.clear();
  document->positions.clear();
  document->duplicates.clear();
  document->start = tree->nodes[0].position();
  return Converter(*tree, options, document).Convert();
}

}  // namespace podium::reflect
