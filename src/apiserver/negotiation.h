// Which form an answer has and a body is in, from Accept, Content-Type, ?pretty and User-Agent, as
// upstream chooses (k8s.io/apiserver/pkg/endpoints/handlers/negotiation, the media types of
// apimachinery's serializers and, before them, the routes of go-restful v3; release 1.36).
//
//   application/json                     ;pretty=1
//   application/yaml                     not for watches
//   application/vnd.kubernetes.protobuf  ;stream=watch
//   ;as=Table;v=v1;g=meta.k8s.io         also v1beta1; JSON and YAML alone
//   ;as=PartialObjectMetadata;…          also PartialObjectMetadataList, in every encoding
//
// Clauses are tried by their q, then in order; one that cannot be served is passed over. Errors are
// answers: 406 and 415 with upstream's messages. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "apiserver/call.h"
#include "apiserver/catalog.h"
#include "base/result.h"

namespace podium::apiserver {

enum class Media : uint8_t { kJson, kYaml, kProtobuf };
// What an object is shown as.
enum class View : uint8_t { kObject, kTable, kPartialMetadata, kPartialMetadataList };

struct OutputForm {
  Media media = Media::kJson;
  View view = View::kObject;
  bool v1beta1 = false;  // of meta.k8s.io, which the view is of
  bool pretty = false;   // of JSON

  friend bool operator==(const OutputForm&, const OutputForm&) = default;
};

// What an endpoint has to offer.
struct OutputRules {
  bool table = false;
  bool partial = false;  // PartialObjectMetadata
  bool protobuf = true;  // of the objects themselves
  bool streams = false;  // the route is also one of watches, which its 406 then names

  friend bool operator==(const OutputRules&, const OutputRules&) = default;
};

// Of the resource itself and of what it is answered with. Resources that are never stored (reviews,
// bindings) are no tables; custom ones have no protobuf.
OutputRules RulesOf(const ServedResource& resource);

Result<OutputForm> NegotiateOutput(const Call& call, const OutputRules& rules);
// Of a watch.
Result<OutputForm> NegotiateStream(const Call& call, const OutputRules& rules);
// Of the body; "" is JSON.
Result<Media> NegotiateInput(std::string_view content_type, bool protobuf = true);

// "application/json".
std::string_view MediaTypeOf(Media media);
// The version that a view is of: "meta.k8s.io/v1".
std::string_view ViewVersion(const OutputForm& form);

}  // namespace podium::apiserver
