#include "reflect/patch/patch_schema.h"

#include <fmt/format.h>

#include "reflect/go_text.h"

namespace podium::reflect {
namespace {

// The struct that values of a kind are in JSON, or null: of a type whose JSON is that of one field,
// or of one of several, the field's.
const Type* StructOf(Kind kind, const Type* type) {
  if (kind != Kind::kStruct) return nullptr;
  if (type->form == Form::kStruct) return type;
  for (const Field& field : type->fields) {
    const bool is_list_or_map = field.shape == Shape::kList || field.shape == Shape::kMap;
    if (field.kind == Kind::kStruct && !is_list_or_map) return StructOf(field.kind, field.type);
  }
  return nullptr;
}

}  // namespace

Result<MemberSchema> LookUp(const ObjectSchema& schema, std::string_view key) {
  if (schema.is_map) return MemberSchema{.object = {schema.type}, .element = {}};
  if (schema.type == nullptr) return MemberSchema();
  const Field* field = schema.type->Find(key);
  if (field == nullptr) {
    return Error(Code::kInternal,
                 fmt::format("unable to find api field in struct {} for the json field {}",
                             schema.type->name, GoQuoted(key)));
  }
  const Facts& facts = *field->facts;
  MemberSchema member{.merge = facts.patch_merge,
                      .replace = facts.patch_replace,
                      .retain_keys = facts.patch_retain_keys,
                      .merge_key = facts.merge_key};
  const Type* type = StructOf(field->kind, field->type);
  if (field->shape == Shape::kList) {
    member.element = {type};
  } else if (field->shape == Shape::kMap) {
    member.object = {type, true};
  } else {
    member.object = {type};
  }
  return member;
}

}  // namespace podium::reflect
