// Failures as the API tells them: metav1.Status with upstream's reasons, codes and words
// (k8s.io/apimachinery/pkg/api/errors).
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "api/types/meta_v1.h"
#include "base/error.h"

namespace podium::node {

using Status = api::meta::v1::Status;

template <class T>
using ApiResult = std::expected<T, Status>;

// `pods "web" not found`, 404.
Status NotFoundStatus(std::string_view plural, std::string_view name);
// `pods "web" already exists`, 409.
Status AlreadyExistsStatus(std::string_view plural, std::string_view name);
// 409.
Status ConflictStatus(std::string_view plural, std::string_view name, std::string_view why);
// 400.
Status BadRequestStatus(std::string message);
// 410, for a watch from a version that is forgotten.
Status ExpiredStatus(std::string message);

// What an update may not change of an object's metadata is taken from the stored one. A version or
// uid that is given and is another than the stored one's: 409, upstream's words.
std::optional<Status> KeepMetadata(std::string_view plural, const api::meta::v1::ObjectMeta& stored,
                                   api::meta::v1::ObjectMeta* metadata);

// By the error's code.
Status StatusOf(const Error& error);

}  // namespace podium::node
