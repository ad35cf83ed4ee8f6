// The API's own description, as servers publish it: OpenAPI v2 (/openapi/v2, as JSON and as the
// protobuf message openapi.v2.Document, which kubectl asks for) and OpenAPI v3
// (/openapi/v3/apis/apps/v1, a document for each group-version, some for discovery, and the index
// of them all).
//
// All is made from the descriptors and from resources.table; definitions have upstream's names and
// extensions, operations upstream's ids, paths and parameters. Texts are those of schema/ and our
// own. As upstream, v2 has no defaults, and custom resources appear there without what OpenAPI v2
// cannot say.
//
// A document is written into one string, a definition and a path at a time, so that making it takes
// little more memory than it has bytes; a server makes it once, compresses it and keeps that. The
// same input gives the same bytes. Any thread may call. Without custom resources v2 has 1.4 MB as
// JSON and 1.1 MB as protobuf, 0.1 MB compressed; the core group in v3 has 0.7 MB.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "api/release.h"
#include "api/resource.h"
#include "api/scheme.h"
#include "reflect/json_value.h"

namespace podium::api::openapi {

// One version of a custom resource.
struct CustomKind {
  std::string_view group;
  std::string_view version;
  std::string_view kind;
  std::string_view list_kind;
  std::string_view plural;
  bool namespaced = true;
  bool has_status = false;
  bool has_scale = false;
  const reflect::JsonValue* schema = nullptr;  // structural; null: objects of any content
};

struct Options {
  std::string_view release = kRelease;  // info.version
  std::span<const CustomKind> custom_kinds;
  // Of the resources of the tables those that are served; empty: all. What is not has no paths, and
  // definitions only where something served leads to them.
  std::function<bool(const Resource& resource)> serves{};
};

enum class Encoding { kJson, kProtobuf };

// What clients ask for, and how an answer is marked: the former is no media type that Go reads.
inline constexpr std::string_view kProtobufMediaType =
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
inline constexpr std::string_view kProtobufContentType =
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

std::string V2Document(Encoding encoding, const Options& options);

// The document of one path of the index: apis/apps/v1 has the resources of that group-version;
// api, apis, apis/apps and version have only what tells what there is. None has more definitions
// than it leads to. Empty when there is no such path.
std::string V3Document(std::string_view path, const Options& options);

// {"paths":{"apis/apps/v1":{"serverRelativeURL":"/openapi/v3/apis/apps/v1?hash=..."}}}, by path.
// Makes every document once.
std::string V3Index(const Options& options);

// Of a document's bytes, for URLs and ETags, as upstream: SHA-512 in upper case.
std::string DocumentHash(std::string_view document);

}  // namespace podium::api::openapi
