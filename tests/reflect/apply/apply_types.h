// A kind whose fields are owned in every way that there is, and short ways to write what is tested.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "reflect/apply/apply_schema.h"
#include "reflect/apply/field_set.h"
#include "reflect/json_value.h"
#include "reflect/type.h"

namespace podium::reflect::testing {

// Made at run time, example.com/v1 Thing:
//   spec: number text flag port    scalars; port is an int-or-string
//         items                    list=map(name): name value nested{a b} tags
//         ports                    list=map(containerPort,protocol): protocol is TCP by default
//         wholes                   list=map(name) of structs that are atomic: name value
//         words numbers            list=set
//         list                     a list that says nothing
//         map maps                 of texts, of structs{a b}
//         fixed                    a map that is atomic
//         point                    a struct that is atomic: x w
//         struct                   a b inner{x w}
//         any                      any JSON
//   status: phase count
const Type& ThingType();
ValueSchema ThingSchema();

// From YAML, of which JSON is a part: {spec: {words: [a]}}.
JsonValue Y(std::string_view yaml);

// All paths, a space between them.
std::string Paths(const FieldSet& set);
// The set of these: .spec.number .spec.items[name="a"]. Values have no spaces and no dots.
FieldSet SetOfPaths(std::string_view paths);

}  // namespace podium::reflect::testing
