// The schemas of definitions, by the ideas of upstream's
// TestValidateCustomResourceDefinitionValidation and its neighbours.
#include "api/validation/definition_cases.h"

namespace podium::api {
namespace {

using apiextensions::v1::CustomResourceDefinition;

const std::string kEdit = "spec.versions[0].schema.openAPIV3Schema";  // NOLINT: constants of tests
const std::string kRoot = "spec.validation.openAPIV3Schema";          // NOLINT: likewise
const std::string kA = kRoot + ".properties[a]";                      // NOLINT: likewise

// `json` in place of properties.
std::string Properties(const std::string& json) { return kEdit + ".properties=" + json; }
std::string A(const std::string& json) { return Properties("{\"a\":" + json + "}"); }

TEST(DefinitionSchema, Root) {
  const std::string status = "spec.versions[0].subresources={\"status\":{}}";
  ExpectNewDefinition({
      {{kEdit + "={}"}, {kRoot + ".type: Required value: must not be empty at the root"}},
      {{kEdit + ".nullable=true"},
       {"spec.validation.openAPIV3Schema.nullable: Forbidden: nullable cannot be true at the "
        "root"}},
      {{status, kEdit + ".description=\"d\"", kEdit + ".required=[\"spec\"]",
        kEdit + R"(.externalDocs={"url":"u"})",
        kEdit + "['x-kubernetes-preserve-unknown-fields']=true"},
       {}},
      {{status, kEdit + ".type=\"string\""},
       {kRoot + ".type: Invalid value: \"string\": only \"object\" is allowed as the type at the "
                "root of the schema if the status subresource is enabled",
        kRoot + ".type: Invalid value: \"string\": must be object at the root"}},
      // NewStructural refuses it, and nothing else does.
      {{kEdit + "['$schema']=\"s\""},
       {kRoot + ": Invalid value: \"\": OpenAPIV3Schema 'schema' is not supported"}},
      {{kEdit + "['$schema']=\"s\"", kEdit + ".id=\"i\""},
       {kRoot + ".id: Forbidden: id is not supported"}},
  });
}

TEST(DefinitionSchema, WordsThatAreNot) {
  ExpectNewDefinition({
      {{A("{\"type\":\"null\"}")},
       {kA + ".type: Unsupported value: \"null\": supported values: \"array\", \"boolean\", "
             "\"integer\", \"number\", \"object\", \"string\"",
        kA + ".type: Forbidden: type cannot be set to null, use nullable as an alternative"}},
      {{A(R"({"type":"object","id":"x","additionalItems":true,"patternProperties":{"a":{}},)"
          R"("definitions":{"d":{"type":"bool"}},"dependencies":{"x":{"type":"int"}},"$ref":"#/x",)"
          R"("uniqueItems":true,"x-kubernetes-preserve-unknown-fields":false})")},
       {kA + ".id: Forbidden: id is not supported",
        kA + ".additionalItems: Forbidden: additionalItems is not supported",
        kA + ".patternProperties: Forbidden: patternProperties is not supported",
        kA + ".definitions: Forbidden: definitions is not supported",
        kA + ".dependencies: Forbidden: dependencies is not supported",
        kA + ".$ref: Forbidden: $ref is not supported",
        kA + ".uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime "
             "complexity becomes quadratic",
        kA + ".definitions[d].type: Unsupported value: \"bool\": supported values: \"array\", "
             "\"boolean\", \"integer\", \"number\", \"object\", \"string\"",
        kA + ".dependencies[x].type: Unsupported value: \"int\": supported values: \"array\", "
             "\"boolean\", \"integer\", \"number\", \"object\", \"string\"",
        kA + ".x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or "
             "undefined"}},
      {{A(R"({"type":"array","items":[{"type":"x"}]})")},
       {kA + ".items: Forbidden: items must be a schema object and not an array",
        kA + ".items[0].type: Unsupported value: \"x\": supported values: \"array\", \"boolean\", "
             "\"integer\", \"number\", \"object\", \"string\""}},
      {{A(R"({"type":"object","properties":{"b":{"type":"string"}},"additionalProperties":true})")},
       {}},
      {{A(R"({"type":"object","properties":{"b":{"type":"string"}},"additionalProperties":false})")},
       {kA + ".additionalProperties: Forbidden: additionalProperties and properties are mutual "
             "exclusive"}},
      {{A(R"({"type":"object","additionalProperties":{"type":"array","uniqueItems":true,)"
          R"("items":{"type":"string"}}})")},
       {kA +
        ".additionalProperties.uniqueItems: Forbidden: uniqueItems cannot be set to true since "
        "the runtime complexity becomes quadratic"}},
  });
}

// Schemas below allOf and its like are checked as all are, before the rules of the outer one.
TEST(DefinitionSchema, Order) {
  const std::string unique =
      ".uniqueItems: Forbidden: uniqueItems cannot be set to true since the "
      "runtime complexity becomes quadratic";
  ExpectNewDefinition(
      {{{A(R"({"type":"array","items":{"type":"string","uniqueItems":true},)"
           R"("x-kubernetes-map-type":"atomic","not":{"uniqueItems":true},)"
           R"("anyOf":[{"uniqueItems":true}],"oneOf":[{"uniqueItems":true}],)"
           R"("allOf":[{"uniqueItems":true},{"uniqueItems":true}]})")},
        {kA + ".not" + unique, kA + ".allOf[0]" + unique, kA + ".allOf[1]" + unique,
         kA + ".oneOf[0]" + unique, kA + ".anyOf[0]" + unique, kA + ".items" + unique,
         kA + ".type: Invalid value: \"array\": must be object if x-kubernetes-map-type is "
              "specified"}}});
}

TEST(DefinitionSchema, Structural) {
  ExpectNewDefinition(
      {{{A("{}")}, {kA + ".type: Required value: must not be empty for specified object fields"}},
       {{A(R"({"type":"string","pattern":"("})")},
        {kA + ".pattern: Invalid value: \"(\": must be a valid regular expression, but "
              "isn't: error parsing regexp: missing closing ): `(`"}}});
  // No structure is asked of what keeps everything and says nothing new.
  const std::string old = Edited(kDefinition, {"spec.preserveUnknownFields=true", A("{}")});
  ExpectUpdate<CustomResourceDefinition>(
      old, {{{"spec.names.shortNames=[\"c\"]"}, {}},
            {{A("{\"default\":1}")},
             {"spec.preserveUnknownFields: Invalid value: true: must be false in order to use "
              "defaults in the schema",
              kA + ".type: Required value: must not be empty for specified object fields"}},
            {{A("{\"x-kubernetes-int-or-string\":true,\"properties\":{\"b\":{}}}")},
             {kA + ".properties[b].type: Required value: must not be empty for specified object "
                   "fields"}},
            {{"spec.preserveUnknownFields=false"},
             {kA + ".type: Required value: must not be empty for specified object fields"}}});
}

TEST(DefinitionSchema, Defaults) {
  const std::string header =
      R"({"metadata":{"type":"object","properties":{"name":{"type":"string",)"
      R"("default":"n"}}}})";
  const std::string meta = kRoot + ".properties[metadata].properties[name].default";
  const std::string embedded =
      R"({"type":"object","x-kubernetes-embedded-resource":true,"properties":{)"
      R"("metadata":{"type":"object","properties":{"labels":{"type":"object",)"
      R"("additionalProperties":{"type":"string","default":"l"}}}},)";
  ExpectNewDefinition({
      {{A(R"({"type":"integer","default":1})")}, {}},
      {{A(R"({"type":"integer","default":"x"})")},
       {kA + ".default: Invalid value: \"string\":  in body must be of type integer: "
             "\"string\""}},
      {{A(R"({"type":"object","default":{"b":1}})")},
       {kA + ".default: Invalid value: {\"b\":1}: must not have unknown fields"}},
      {{A(R"({"type":"integer","default":null})")}, {}},
      {{Properties(header)}, {meta + ": Forbidden: must not be set in top-level metadata"}},
      {{A(embedded + R"("kind":{"type":"string","default":"K"}}})")},
       {kA + ".properties[metadata].properties[labels].additionalProperties.default: Forbidden: "
             "must not be set inside additionalProperties applying to object metadata"}},
      {{A(R"({"type":"object","x-kubernetes-embedded-resource":true,"properties":{)"
          R"("metadata":{"type":"object","x-kubernetes-embedded-resource":true,)"
          R"("x-kubernetes-preserve-unknown-fields":true}}})")},
       {kA + ".properties[metadata].x-kubernetes-embedded-resource: Forbidden: must not be used "
             "inside of resource meta"}},
  });
  // Defaults that were stored with unknown members may stay.
  const std::string old = Edited(kDefinition, {A(R"({"type":"object","default":{"b":1}})")});
  ExpectUpdate<CustomResourceDefinition>(old, {{{"spec.names.shortNames=[\"c\"]"}, {}}});
}

TEST(DefinitionSchema, MapAndListTypes) {
  const std::string list_type = kA + ".x-kubernetes-list-type: ";
  const std::string items = R"("items":{"type":"string"})";
  ExpectNewDefinition({
      {{A(R"({"type":"object","x-kubernetes-map-type":"granular"})")}, {}},
      {{A(R"({"type":"object","x-kubernetes-map-type":"x"})")},
       {kA + ".x-kubernetes-map-type: Unsupported value: \"x\": supported values: \"atomic\", "
             "\"granular\""}},
      {{A(R"({"x-kubernetes-int-or-string":true,"x-kubernetes-map-type":"atomic",)"
          R"("x-kubernetes-list-type":"set"})")},
       {kA + ".type: Required value: must be object if x-kubernetes-map-type is specified",
        kA + ".type: Required value: must be array if x-kubernetes-list-type is specified"}},
      {{A(R"({"type":"array","x-kubernetes-list-type":"atomic",)" + items + "}")}, {}},
      {{A(R"({"type":"string","x-kubernetes-list-type":"x"})")},
       {kA + ".type: Invalid value: \"string\": must be array if x-kubernetes-list-type is "
             "specified",
        list_type + "Unsupported value: \"x\": supported values: \"atomic\", \"set\", \"map\""}},
      {{A(R"({"type":"array","x-kubernetes-list-map-keys":["k"],)" + items + "}")},
       {list_type + "Required value: must be map if x-kubernetes-list-map-keys is non-empty"}},
      {{A(R"({"type":"array","x-kubernetes-list-type":"set","x-kubernetes-list-map-keys":["k"],)" +
          items + "}")},
       {list_type + "Invalid value: \"set\": must be map if x-kubernetes-list-map-keys is "
                    "non-empty"}},
  });
}

TEST(DefinitionSchema, Sets) {
  const auto set = [](const std::string& items) {
    return A(R"({"type":"array","x-kubernetes-list-type":"set","items":)" + items + "}");
  };
  const std::string atomic = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const std::string list = R"({"type":"array","x-kubernetes-list-type":"set",)"
                           R"("items":{"type":"string"}})";
  ExpectNewDefinition({
      {{set("{\"type\":\"string\"}")}, {}},
      {{set(R"({"type":"object","x-kubernetes-map-type":"atomic"})")}, {}},
      {{set(R"({"type":"array","items":{"type":"string"}})")}, {}},
      {{set("{\"type\":\"object\"}")},
       {kA + ".items.x-kubernetes-map-type: Invalid value: null: " + atomic}},
      {{set(list)}, {kA + ".items.x-kubernetes-list-type: Invalid value: \"set\": " + atomic}},
      {{set(R"({"type":"string","nullable":true})")},
       {kA + ".items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set"}},
  });
  for (const std::string& items : {std::string("{\"type\":\"object\"}"),
                                   std::string(R"({"type":"string","nullable":true})")}) {
    const std::string old = Edited(kDefinition, {set(items)});
    ExpectUpdate<CustomResourceDefinition>(old, {{{"spec.names.shortNames=[\"c\"]"}, {}}});
  }
}

TEST(DefinitionSchema, ListMaps) {
  const auto map = [](const std::string& rest) {
    return A(R"({"type":"array","x-kubernetes-list-type":"map",)" + rest + "}");
  };
  const auto keyed = [&](const std::string& keys, const std::string& properties,
                         const std::string& required) {
    return map("\"x-kubernetes-list-map-keys\":" + keys +
               R"(,"items":{"type":"object","required":)" + required +
               ",\"properties\":" + properties + "}");
  };
  const std::string keys = kA + ".x-kubernetes-list-map-keys: ";
  const std::string items = kA + ".items";
  const std::string k = items + ".properties[k]";
  ExpectNewDefinition({
      {{keyed(R"(["k"])", R"({"k":{"type":"string"}})", R"(["k"])")}, {}},
      {{keyed(R"(["k"])", R"({"k":{"type":"string","default":"d"}})", "[]")}, {}},
      {{keyed(R"(["k"])", R"({"k":{"type":"string"}})", "[]")},
       {k + ".default: Required value: this property is in x-kubernetes-list-map-keys, so it must "
            "have a default or be a required property"}},
      {{keyed(R"(["k"])", R"({"k":{"type":"string","nullable":true}})", R"(["k"])")},
       {k + ".nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be "
            "nullable"}},
      {{keyed(R"(["k","k"])", R"({"k":{"type":"object"}})", R"(["k"])")},
       {k + ".type: Invalid value: \"object\": must be a scalar type if parent array's "
            "x-kubernetes-list-type is map",
        k + ".type: Invalid value: \"object\": must be a scalar type if parent array's "
            "x-kubernetes-list-type is map",
        keys + "Invalid value: [\"k\",\"k\"]: must not contain duplicate entries"}},
      {{keyed(R"(["x"])", R"({"k":{"type":"string"}})", "[]")},
       {keys + "Invalid value: [\"x\"]: entries must all be names of item properties"}},
      {{map(R"("items":{"type":"string","nullable":true})")},
       {keys + "Required value: must not be empty if x-kubernetes-list-type is map",
        items + ".type: Invalid value: \"string\": must be object if parent array's "
                "x-kubernetes-list-type is map",
        items + ".nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is map"}},
      {{map(R"("x-kubernetes-list-map-keys":["k"])")},
       {items + ": Required value: must be specified",
        items + ": Required value: must have a schema if x-kubernetes-list-type is map"}},
      {{map(R"("x-kubernetes-list-map-keys":["k"],"items":[])")},
       {items + ": Required value: must be specified",
        items + ": Invalid value: {\"Schema\":null,\"JSONSchemas\":[]}: must only have a single "
                "schema if x-kubernetes-list-type is map"}},
  });
  const std::string old =
      Edited(kDefinition, {keyed(R"(["k"])", R"({"k":{"type":"string"}})", "[]")});
  ExpectUpdate<CustomResourceDefinition>(old, {{{"spec.names.shortNames=[\"c\"]"}, {}}});
}

TEST(DefinitionSchema, OldTypesMayStay) {
  const std::string old = Edited(kDefinition, {A("{\"type\":\"int\"}")});
  ExpectUpdate<CustomResourceDefinition>(old, {{{"spec.names.shortNames=[\"c\"]"}, {}}});
}

TEST(DefinitionSchema, Rules) {
  const auto rule = [](const std::string& json) {
    return A(R"({"type":"object","properties":{"b":{"type":"string"},"c.d":{"type":"object",)"
             R"("additionalProperties":{"type":"string"}}},"x-kubernetes-validations":[)" +
             json + "]}");
  };
  const std::string path = kA + ".x-kubernetes-validations[0].";
  const std::string valid_path = "fieldPath must be a valid path";
  ExpectNewDefinition({
      {{rule(R"({"rule":"true"})")}, {}},
      {{rule(R"({"rule":"true\n","message":"m","messageExpression":"'m'",)"
             R"("reason":"FieldValueForbidden","fieldPath":".b"})")},
       {}},
      {{rule(R"({"rule":"true","fieldPath":"['c.d'].x"})")}, {}},
      {{rule(R"({"rule":"true","fieldPath":"['c.d']['it\\'s']"})")}, {}},
      {{rule(R"({"rule":" \t","message":" "})")},
       {path + "rule: Required value: rule is not specified"}},
      {{rule(R"({"rule":"true","message":" "})")},
       {path + "message: Invalid value: \" \": message must be non-empty if specified"}},
      {{rule(R"({"rule":"true","message":"a\rb"})")},
       {path + "message: Invalid value: \"a\\rb\": message must not contain line breaks"}},
      {{rule(R"({"rule":"a\nb"})")},
       {path + "message: Required value: message must be specified if rule contains line breaks"}},
      {{rule(R"({"rule":"true","messageExpression":" ","reason":"x"})")},
       {path + "messageExpression: Required value: messageExpression must be non-empty if "
               "specified",
        path + "reason: Unsupported value: \"x\": supported values: \"FieldValueDuplicate\", "
               "\"FieldValueForbidden\", \"FieldValueInvalid\", \"FieldValueRequired\""}},
      {{rule(R"({"rule":"true","fieldPath":"\n"})")},
       {path + "fieldPath: Invalid value: \"\\n\": fieldPath must be non-empty if specified",
        path + "fieldPath: Invalid value: \"\\n\": fieldPath must not contain line breaks",
        path + "fieldPath: Invalid value: \"\\n\": " + valid_path}},
      {{rule(R"({"rule":"true","fieldPath":".c"})")},
       {path + "fieldPath: Invalid value: \".c\": " + valid_path}},
      {{rule(R"({"rule":"true","fieldPath":"[0]"})")},
       {path + "fieldPath: Invalid value: \"[0]\": " + valid_path}},
      {{rule(R"({"rule":"true","fieldPath":"['b"})")},
       {path + "fieldPath: Invalid value: \"['b\": " + valid_path}},
      {{rule(R"({"rule":"true","fieldPath":"['b'"})")},
       {path + "fieldPath: Invalid value: \"['b'\": " + valid_path}},
      {{rule(R"({"rule":"true","fieldPath":"['\\q']"})")},
       {path + "fieldPath: Invalid value: \"['\\\\q']\": " + valid_path}},
  });
}

}  // namespace
}  // namespace podium::api
