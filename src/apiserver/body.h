// Bodies of requests: JSON, YAML and Kubernetes protobuf, decoded into the kind that is expected
// there, with upstream's errors (k8s.io/apiserver/pkg/endpoints/handlers, transformDecodeError).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apiserver/call.h"
#include "apiserver/request_options.h"
#include "base/result.h"
#include "reflect/type.h"

namespace podium::apiserver {

enum class BodyFormat { kJson, kYaml, kProtobuf };

// Of a Content-Type; "" is JSON. 415 for others.
Result<BodyFormat> BodyFormatOf(std::string_view content_type);

// What a body has to be.
struct ExpectedBody {
  const reflect::Type* type = nullptr;
  std::string_view group{};
  std::string_view version{};
  std::string_view kind{};
};

// The object, with its kind and apiVersion, which the body may leave out. 400 for what cannot be
// read as this kind; unknown and doubled fields are passed over, told as warnings of the call, or
// 400.
Result<reflect::AnyObject> DecodeBody(Call& call, const ExpectedBody& expected,
                                      FieldValidation validation);

// The same for a kind that every group has, in any of its versions that this server knows: the
// options of a deletion.
Result<reflect::AnyObject> DecodeBodyOfAnyGroup(Call& call, const ExpectedBody& expected);

// The JSON of a body of one of the first two formats.
Result<std::string> JsonOfBody(std::string_view body, BodyFormat format,
                               std::vector<std::string>* duplicates);

// 400 for a body that does not say what it is.
Error UnrecognizedBody(const Call& call, const ExpectedBody& expected, std::string_view why);

// Passes what only a strict reader minds on to the client, as it wants to have it: warnings of the
// call, or 400.
Result<void> TellStrict(Call& call, const ExpectedBody& expected, FieldValidation validation,
                        std::string_view kind, std::string_view api_version,
                        std::vector<std::string> texts);

// The error of an object of this version that cannot be taken as what is expected.
Error CannotBeHandled(std::string_view kind, std::string_view api_version,
                      std::string_view expected_kind, std::string_view why);

}  // namespace podium::apiserver
