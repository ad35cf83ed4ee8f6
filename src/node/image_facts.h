// Images in and out of the node over HTTP, streamed both ways: what /node/v1/images answers beyond
// lists and removals.
//
//   POST .../import?name=&kind=images|rootfs&platform=&config=JSON&comment=   body: an archive
//   GET  .../export?image=[&image=]                                          answer: an archive
//   POST .../pull?image=[&progress=true]     answer: with progress, a line of JSON for each step
//   POST .../verify                          answer: lines of JSON
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "http/server.h"
#include "http/stream.h"
#include "http/url.h"
#include "image/image_store.h"
#include "image/layer_pull.h"
#include "node/image_service.h"

namespace podium::node {

// What the server must know of these requests: true, and *treatment, if the path is one of theirs.
bool ImageFactsTreatment(std::string_view path, http::Treatment* treatment);

// Reads the archive that the request's body is, as it comes, into the store. The images that were
// added. A body that breaks off adds nothing. Errors are those of image/import.h, and
// kInvalidArgument for parameters.
Result<std::vector<image::ImageInfo>> ImportImages(image::ImageStore& store,
                                                   http::Exchange& exchange,
                                                   const http::QueryParameters& query);

// Answers with the archive (image/export.h). An error: nothing was answered yet. What goes wrong
// later breaks the connection, so that the client does not take a part for the whole.
Result<void> ExportImages(image::ImageStore& store, const std::shared_ptr<http::Exchange>& exchange,
                          const http::QueryParameters& query);

// Pulls and answers {"id":"sha256:…","size":…}. With `progress` it tells how far it is:
//   {"layer":0,"layers":3,"digest":"sha256:…","state":"downloading","done":4096,"total":31000000}
// and at last the same, or {"error":"…"} when something was told before. A client that goes away
// ends the pull. An error: nothing was answered yet.
using PullWithProgress = std::function<Result<NodeImage>(const image::PullObserver& observer,
                                                         const http::Cancellation* cancellation)>;
Result<void> PullImage(const std::shared_ptr<http::Exchange>& exchange,
                       const PullWithProgress& pull, bool progress);

// Reads all that images need (image::ImageStore::Verify) and answers with lines, now and then
// {"done":BYTES}, at last {"items":[{"digest":…,"images":[…],"problem":…,"mended":…}]} or
// {"error":…}. A client that goes away ends it. An error: nothing was answered yet.
Result<void> VerifyImages(image::ImageStore& store,
                          const std::shared_ptr<http::Exchange>& exchange);

}  // namespace podium::node
