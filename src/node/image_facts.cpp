#include "node/image_facts.h"

#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "image/export.h"
#include "image/import.h"
#include "reflect/json.h"

namespace podium::node {
namespace {

constexpr size_t kBuffer = size_t{128} << 10;
constexpr std::chrono::milliseconds kBetweenSteps{500};
constexpr const char* kLines = "application/x-ndjson";

// Two ends of a connection between a thread that has a descriptor and one that has an exchange.
struct Ends {
  UniqueFd inside;
  UniqueFd outside;
};

Result<Ends> Connect() {
  std::array<int, 2> fds;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return Error::FromErrno(errno, "socketpair");
  }
  return Ends{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

// False when the other end is closed.
bool SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string_view NameOf(image::PullProgress::State state) {
  using State = image::PullProgress::State;
  switch (state) {
    case State::kWaiting:
      return "waiting";
    case State::kDownloading:
      return "downloading";
    case State::kExtracting:
      return "extracting";
    case State::kDone:
      return "done";
    case State::kExists:
      break;
  }
  return "exists";
}

std::string LineOf(const image::PullProgress& step) {
  std::string out = "{\"layer\":" + std::to_string(step.layer) +
                    ",\"layers\":" + std::to_string(step.layers) + ",\"digest\":";
  reflect::AppendJsonString(step.digest.String(), &out);
  out += ",\"state\":\"" + std::string(NameOf(step.state)) +
         "\",\"done\":" + std::to_string(step.done) + ",\"total\":" + std::to_string(step.total);
  return out + "}\n";
}

std::string LineOf(const Result<NodeImage>& pulled) {
  std::string out = pulled.ok() ? "{\"id\":" : "{\"error\":";
  reflect::AppendJsonString(pulled.ok() ? pulled->id : pulled.error().message(), &out);
  if (pulled.ok()) out += ",\"size\":" + std::to_string(pulled->size);
  return out + "}\n";
}

std::string LineOf(const Result<std::vector<image::Damage>>& damages) {
  std::string out;
  if (!damages.ok()) {
    out = "{\"error\":";
    reflect::AppendJsonString(damages.error().message(), &out);
    return out + "}\n";
  }
  for (const image::Damage& damage : *damages) {
    out += out.empty() ? "{\"digest\":" : ",{\"digest\":";
    reflect::AppendJsonString(damage.digest.String(), &out);
    out += ",\"images\":[";
    for (const image::Digest& id : damage.images) {
      if (!out.ends_with('[')) out += ',';
      reflect::AppendJsonString(id.String(), &out);
    }
    out += "],\"problem\":";
    reflect::AppendJsonString(damage.what, &out);
    out += std::string(",\"mended\":") + (damage.mended ? "true}" : "false}");
  }
  return "{\"items\":[" + out + "]}\n";
}

Result<image::ImportOptions> OptionsOf(const http::QueryParameters& query) {
  using Kind = image::ImportOptions::Kind;
  image::ImportOptions out;
  out.created = std::chrono::system_clock::now();
  for (const auto& [key, value] : query) {
    if (key == "name") {
      out.names.push_back(value);
    } else if (key == "kind" && (value == "images" || value == "rootfs")) {
      out.kind = value == "images" ? Kind::kImages : Kind::kRootFileSystem;
    } else if (key == "platform") {
      TRY(out.platform, image::ParsePlatform(value));
    } else if (key == "config") {
      TRY(out.config, reflect::FromJson<wire::oci_image::ImageConfig>(value));
    } else if (key == "comment") {
      out.comment = value;
    } else {
      std::string problem = "no such parameter of an import: ";
      problem.append(key).append("=").append(value);
      return Error(Code::kInvalidArgument, std::move(problem));
    }
  }
  return out;
}

// The body, into the socket, until either ends.
Result<void> PassBody(http::Exchange& exchange, int socket) {
  std::vector<char> buffer(kBuffer);
  while (true) {
    TRY(const size_t size, exchange.ReadBody(buffer));
    // The importer has seen enough, or given up: it says which.
    if (size == 0 || !SendAll(socket, {buffer.data(), size})) return {};
  }
}

Result<size_t> Receive(int socket, std::vector<char>* buffer) {
  while (true) {
    const ssize_t size = recv(socket, buffer->data(), buffer->size(), 0);
    if (size >= 0) return static_cast<size_t>(size);
    if (errno != EINTR) return Error::FromErrno(errno, "recv");
  }
}

// A reader that goes away is an error of write(2), and no signal.
void BlockPipeSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

bool ImageFactsTreatment(std::string_view path, http::Treatment* treatment) {
  if (path == "/node/v1/images/import") {
    *treatment = {.long_running = true, .stream_body = true, .max_body = UINT64_MAX};
    return true;
  }
  if (path != "/node/v1/images/export" && path != "/node/v1/images/pull" &&
      path != "/node/v1/images/verify") {
    return false;
  }
  treatment->long_running = true;
  return true;
}

Result<std::vector<image::ImageInfo>> ImportImages(image::ImageStore& store,
                                                   http::Exchange& exchange,
                                                   const http::QueryParameters& query) {
  TRY(const image::ImportOptions options, OptionsOf(query));
  TRY(Ends ends, Connect());
  // A byte that nobody reads: a socket that is closed with it unread gives its peer ECONNRESET,
  // where it would otherwise see an end that it could take for the archive's.
  if (!SendAll(ends.inside.get(), "x")) return Error::FromErrno(errno, "send");
  Result<std::vector<image::ImageInfo>> imported = std::vector<image::ImageInfo>();
  std::thread importer([&] {
    imported = image::ImportArchive(store, ends.inside.get(), options);
    ends.inside.reset();
  });
  const auto passed = PassBody(exchange, ends.outside.get());
  if (passed.ok()) {
    (void)shutdown(ends.outside.get(), SHUT_WR);
    importer.join();
    return imported;
  }
  ends.outside.reset();
  importer.join();
  return passed.error();
}

Result<void> ExportImages(image::ImageStore& store, const std::shared_ptr<http::Exchange>& exchange,
                          const http::QueryParameters& query) {
  std::vector<std::string> references;
  for (const auto& [key, value] : query) {
    if (key == "image") references.push_back(value);
  }
  if (references.empty()) return Error(Code::kInvalidArgument, "which image?");
  TRY(Ends ends, Connect());
  Result<void> exported;
  std::thread exporter([&] {
    BlockPipeSignal();
    exported = image::ExportImages(store, references, ends.inside.get());
    ends.inside.reset();
  });
  std::vector<char> buffer(kBuffer);
  // Nothing is answered before the archive begins: what is wrong with the image is still an error.
  auto size = Receive(ends.outside.get(), &buffer);
  const bool any = size.ok() && *size > 0;
  bool begun = any && exchange->Begin(200, {{"Content-Type", "application/x-tar"}}).ok();
  while (begun && size.ok() && *size > 0) {
    begun = exchange->Write({buffer.data(), *size}).ok();
    if (begun) size = Receive(ends.outside.get(), &buffer);
  }
  ends.outside.reset();
  exporter.join();
  if (!any) return exported.ok() ? Error(Code::kInternal, "the archive is empty") : exported;
  if (begun && size.ok() && exported.ok()) (void)exchange->End();
  return {};
}

Result<void> PullImage(const std::shared_ptr<http::Exchange>& exchange,
                       const PullWithProgress& pull, bool progress) {
  TRY(std::unique_ptr<http::Cancellation> created, http::Cancellation::Create());
  const std::shared_ptr<http::Cancellation> cancellation = std::move(created);
  exchange->OnCancel([cancellation] { cancellation->Cancel(); });
  if (!progress) {
    const auto pulled = pull({}, cancellation.get());
    if (!pulled.ok()) return pulled.error();
    (void)exchange->Respond(200, {{"Content-Type", "application/json"}}, LineOf(pulled));
    return {};
  }
  bool begun = false;
  const auto begin = [&] {
    if (!begun) begun = exchange->Begin(200, {{"Content-Type", kLines}}).ok();
    return begun;
  };
  // One call at a time, and none after the pull has returned. A slow reader misses steps.
  const auto pulled = pull(
      [&](const image::PullProgress& step) {
        if (begin()) (void)exchange->TryWrite(LineOf(step));
      },
      cancellation.get());
  if (!pulled.ok() && !begun) return pulled.error();
  if (begin() && exchange->Write(LineOf(pulled)).ok()) (void)exchange->End();
  return {};
}

Result<void> VerifyImages(image::ImageStore& store,
                          const std::shared_ptr<http::Exchange>& exchange) {
  const auto cancelled = std::make_shared<std::atomic<bool>>(false);
  exchange->OnCancel([cancelled] { *cancelled = true; });
  TRY_VOID(exchange->Begin(200, {{"Content-Type", kLines}}));
  auto told = std::chrono::steady_clock::now();
  const auto damages = store.Verify([&](uint64_t done) {
    const auto now = std::chrono::steady_clock::now();
    if (now - told >= kBetweenSteps) {
      told = now;
      (void)exchange->TryWrite("{\"done\":" + std::to_string(done) + "}\n");
    }
    return !*cancelled;
  });
  if (exchange->Write(LineOf(damages)).ok()) (void)exchange->End();
  return {};
}

}  // namespace podium::node
