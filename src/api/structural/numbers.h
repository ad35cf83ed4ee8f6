// Numbers of untyped objects, as Go converts, compares and prints them. Private to api/structural.
#pragma once

#include <cstdint>
#include <string>

#include "reflect/json_value.h"
#include "reflect/number_text.h"

namespace podium::api {

// As fmt's %v.
std::string DoubleText(double value);
std::string NumberText(const reflect::Number& number);

// As Go's conversion to int64 where the number fits; the nearest one elsewhere.
int64_t Whole(double value);

// swag.IsFloat64AJSONInteger: whole up to a relative error of 1e-9, within what JavaScript counts.
bool IsNearlyWhole(double value);

// Whether the value is this one of an enum's. Go compares after conversion: numbers of either kind
// by value, cut off to the kind of the enum's.
bool EqualsEnumValue(const reflect::JsonValue& value, const reflect::JsonValue& allowed);

}  // namespace podium::api
