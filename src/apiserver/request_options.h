// Options of requests, as query parameters or, of deletions, as a body, and what may stand in them
// (upstream's k8s.io/apimachinery/pkg/apis/meta/v1/validation, and the conversions of
// pkg/runtime/converter from url.Values).
//
// Errors are answers: 400 for what cannot be read, 422 for what may not be.
#pragma once

#include <string>
#include <string_view>

#include "api/types/meta_v1.h"
#include "base/result.h"
#include "http/url.h"
#include "reflect/type.h"

namespace podium::apiserver {

// Parameters called like a field of `type` into *object: strings, numbers, booleans, times, lists
// of strings and of numbers (which may stand in one parameter, with commas). Others are passed
// over.
Result<void> ReadQueryInto(const http::QueryParameters& query, const reflect::Type& type,
                           void* object);

template <class T>
Result<T> OptionsOfQuery(const http::QueryParameters& query) {
  T options;
  TRY_VOID(ReadQueryInto(query, reflect::TypeOf<T>(), &options));
  return options;
}

// Reads and checks.
Result<api::meta::v1::CreateOptions> ReadCreateOptions(const http::QueryParameters& query);
Result<api::meta::v1::UpdateOptions> ReadUpdateOptions(const http::QueryParameters& query);
Result<api::meta::v1::PatchOptions> ReadPatchOptions(const http::QueryParameters& query,
                                                     bool is_apply);
// Of a body that was decoded, or of a query.
Result<void> CheckDeleteOptions(const api::meta::v1::DeleteOptions& options);

// What becomes of unknown and doubled fields.
enum class FieldValidation { kIgnore, kWarn, kStrict };
// "" is Warn.
FieldValidation FieldValidationOf(std::string_view option);

// The manager that a write is by: the option, or the first word of the client's User-Agent.
std::string ManagerOf(std::string_view field_manager, std::string_view user_agent);

}  // namespace podium::apiserver
