#include "cli/container_tar.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "api/status.h"
#include "cli/text.h"

namespace podium::cli {
namespace {

constexpr auto kBetweenTries = std::chrono::milliseconds(200);
// tar fills its last record: 10 KiB with GNU's, and people may have theirs make larger ones.
constexpr uint64_t kMaxBehind = uint64_t{1} << 20;

// Of the pipe's two commands the first one's exit code counts; "$1" is the file and "$2" the byte
// to begin with, so that no shell reads names.
constexpr const char* kFromByte =
    "exec 3>&1; code=$({ { tar cf - \"$1\" 4>&-; echo $? >&4; } | tail -c+\"$2\" >&3; } 4>&1); "
    "exit \"${code:-1}\"";

std::vector<std::string> CommandFor(const std::string& file, int64_t retries, uint64_t read) {
  // A name is no option.
  const std::string name = file.starts_with('-') ? "./" + file : file;
  if (retries == 0) return {"tar", "cf", "-", name};
  return {"sh", "-c", kFromByte, "sh", name, std::to_string(read + 1)};
}

}  // namespace

ContainerTar::ContainerTar(const PodTarget& target, std::string container, std::string file,
                           int64_t retries, const Streams& streams)
    : target_(target),
      client_(target.Client()),
      container_(std::move(container)),
      file_(std::move(file)),
      retries_(retries),
      streams_(streams) {}

void ContainerTar::Tell(std::string_view text) { (void)streams_.Out(text); }

Result<void> ContainerTar::Start() {
  api::core::v1::PodExecOptions options;
  options.container = container_;
  for (std::string& word : CommandFor(file_, retries_, read_)) {
    options.command.push_back(std::move(word));
  }
  options.stdout_ = true;
  options.stderr_ = true;
  TRY(remote_, client_.Exec(target_.Key(), options));
  return {};
}

bool ContainerTar::MayRetry(const Error& error) {
  remote_.reset();
  // What a server says will not be another thing the next time.
  const bool broke_off = !api::FindStatus(error) && error.code() == Code::kUnavailable;
  if (!broke_off) return false;
  if (retries_ >= 0 && tries_ >= retries_) {
    Tell("Dropping out copy after " + std::to_string(tries_) + " retries\n");
    return false;
  }
  ++tries_;
  Tell("Resuming copy at " + std::to_string(read_) + " bytes, retry " + std::to_string(tries_) +
       '/' + std::to_string(retries_) + '\n');
  std::this_thread::sleep_for(kBetweenTries);
  return true;
}

Result<void> ContainerTar::Fetch() {
  if (!remote_) TRY_VOID(Start());
  TRY(auto output, remote_->Read());
  if (!output) {
    TRY(exit_code_, remote_->exit_code());
    return {};
  }
  if (output->is_stderr) {
    Tell(Printable(output->data, true));
    return {};
  }
  pending_ = std::move(output->data);
  taken_ = 0;
  return {};
}

Result<size_t> ContainerTar::Read(std::span<char> buffer) {
  while (taken_ == pending_.size()) {
    if (exit_code_) return 0;
    auto fetched = Fetch();
    if (!fetched.ok() && !MayRetry(fetched.error())) return std::move(fetched).error();
  }
  const size_t size = std::min(buffer.size(), pending_.size() - taken_);
  pending_.copy(buffer.data(), size, taken_);
  taken_ += size;
  read_ += size;
  return size;
}

Result<int> ContainerTar::Finish() {
  char buffer[4096];
  for (uint64_t behind = 0;;) {
    TRY(const size_t size, Read(buffer));
    if (size == 0) return *exit_code_;
    behind += size;
    if (behind > kMaxBehind) {
      remote_->Stop();
      return Error(Code::kDataLoss, "tar contents corrupted");
    }
  }
}

}  // namespace podium::cli
