// The parameters of requests. Private to api/openapi.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "api/openapi/operations.h"
#include "reflect/type.h"

namespace podium::api::openapi {

// The query parameter of that name that all resources know; names of one that is not there are a
// mistake of the program.
Parameter QueryParameter(std::string_view name);
std::vector<Parameter> QueryParameters(std::initializer_list<std::string_view> names);
Parameter PathParameter(std::string_view name, std::string_view description);

// The options of a request as query parameters: PodExecOptions. Lists of strings are a parameter
// that comes several times; objects cannot be parameters.
std::vector<Parameter> OptionParameters(const reflect::Type& type);

}  // namespace podium::api::openapi
