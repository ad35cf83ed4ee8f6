#include "cli/input.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/owned.h"
#include "base/unique_fd.h"

namespace podium::cli {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

constexpr std::string_view kCannotRead = "cannot be read";

Error TooLarge() {
  return {Code::kResourceExhausted, "larger than " + std::to_string(kMaxFileSize >> 20) + " MiB"};
}

bool IsManifest(std::string_view name) {
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

void ListFolder(const std::string& folder, bool recursive, FileList* list) {
  Owned<DIR, closedir> open(opendir(folder.c_str()));
  if (!open) {
    list->errors.push_back({folder, Error::FromErrno(errno, kCannotRead)});
    return;
  }
  std::vector<std::string> names;
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream is not shared
  while (const dirent* entry = readdir(open.get())) names.emplace_back(entry->d_name);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    if (name == "." || name == "..") continue;
    std::string path = folder;
    if (!path.ends_with('/')) path += '/';
    path += name;
    struct stat status{};
    if (lstat(path.c_str(), &status) != 0) {
      list->errors.push_back({path, Error::FromErrno(errno, kCannotRead)});
      continue;
    }
    if (S_ISDIR(status.st_mode)) {
      if (recursive) ListFolder(path, recursive, list);
      continue;
    }
    if (!IsManifest(name)) continue;
    // A link to a file counts as the file. What has a manifest's name and cannot be read is not
    // passed over: nobody would see that it was not checked.
    if (stat(path.c_str(), &status) != 0) {
      list->errors.push_back({path, Error::FromErrno(errno, kCannotRead)});
    } else if (S_ISREG(status.st_mode)) {
      list->files.push_back(path);
    } else if (!S_ISDIR(status.st_mode)) {
      list->errors.push_back({path, Error(Code::kInvalidArgument, "is no regular file")});
    }
  }
}

// Where the JSON value that begins at `at` ends, by its brackets; the end of the text when they are
// not balanced.
size_t EndOfJson(std::string_view text, size_t at) {
  size_t depth = 0;
  for (; at < text.size(); ++at) {
    switch (text[at]) {
      case '"':
        for (++at; at < text.size() && text[at] != '"'; ++at) {
          if (text[at] == '\\') ++at;
        }
        break;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (depth <= 1) return at + 1;
        --depth;
        break;
      default:
        // A value that is no container ends with its line; the decoder says what it thinks of it.
        if (depth == 0 && text[at] == '\n') return at;
    }
  }
  return text.size();
}

}  // namespace

Invocation WithUsualRecursion(Invocation invocation) {
  if (!invocation.Has("recursive")) invocation.Add("recursive", "true");
  return invocation;
}

bool IsRecursive(const Invocation& invocation) {
  return invocation.Has("recursive") && invocation.Get("recursive") != "false";
}

FileList ListFiles(const std::vector<std::string>& names, bool recursive) {
  FileList list;
  for (const std::string& name : names) {
    struct stat status{};
    const bool standard = name == "-";
    if (!standard && stat(name.c_str(), &status) != 0) {
      list.errors.push_back({name, Error::FromErrno(errno, kCannotRead)});
    } else if (!standard && S_ISDIR(status.st_mode)) {
      const size_t before = list.files.size() + list.errors.size();
      ListFolder(name, recursive, &list);
      if (list.files.size() + list.errors.size() == before) {
        list.errors.push_back(
            {name, Error(Code::kNotFound, "no file in it ends in .yaml, .yml or .json")});
      }
    } else {
      list.files.push_back(name);
    }
  }
  return list;
}

Result<std::string> ReadInput(const std::string& name) {
  const bool standard = name == "-";
  const UniqueFd file(standard ? -1 : open(name.c_str(), O_RDONLY | O_CLOEXEC));
  const int fd = standard ? STDIN_FILENO : file.get();
  if (fd < 0) return Error::FromErrno(errno, kCannotRead);
  std::string text;
  struct stat status{};
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0) {
    if (static_cast<size_t>(status.st_size) > kMaxFileSize) return TooLarge();
    text.reserve(static_cast<size_t>(status.st_size) + 1);
  }
  char buffer[64 * 1024];
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::FromErrno(errno, kCannotRead);
    if (count == 0) return text;
    text.append(buffer, static_cast<size_t>(count));
    if (text.size() > kMaxFileSize) return TooLarge();
  }
}

bool NamesStandardInputTwice(const std::vector<std::string>& names) {
  return std::ranges::count(names, "-") > 1;
}

std::string DisplayName(const std::string& name) { return name == "-" ? "stdin" : name; }

reflect::Position Document::At(size_t offset) const {
  return lines ? lines->At(offset_in_file + offset) : positions.At(offset);
}

DocumentReader::DocumentReader(std::string_view text)
    : text_(text.substr(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0)),
      is_json_(reflect::LooksLikeJson(text_)),
      lines_(is_json_ ? text_ : std::string_view()),
      yaml_(is_json_ ? std::string_view() : text_, {.max_size = kMaxFileSize}) {}

bool DocumentReader::Next(Document* document) {
  *document = {};
  if (done_ || !(is_json_ ? NextJson(document) : NextYaml(document))) return false;
  document->number = ++count_;
  return true;
}

bool DocumentReader::NextJson(Document* document) {
  while (true) {
    at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
    if (at_ == text_.size()) return false;
    // kubectl reads JSON documents with YAML's separator between them.
    if (!text_.substr(at_).starts_with("---")) break;
    at_ = std::min(text_.find('\n', at_), text_.size());
  }
  const size_t end = EndOfJson(text_, at_);
  document->json = text_.substr(at_, end - at_);
  document->lines = &lines_;
  document->offset_in_file = at_;
  document->start = lines_.At(at_);
  at_ = end;
  return true;
}

bool DocumentReader::NextYaml(Document* document) {
  reflect::YamlDocument read;
  Result<bool> more = yaml_.Next(&read);
  if (!more.ok()) {
    document->problem = yaml_.problem();
    document->problem_position = yaml_.error_position();
    // Behind a limit there is no next document.
    done_ = more.error().code() == Code::kResourceExhausted;
    return true;
  }
  if (!*more) return false;
  document->json = std::move(read.json);
  document->positions = std::move(read.positions);
  document->start = read.start;
  document->duplicates = std::move(read.duplicates);
  return true;
}

}  // namespace podium::cli
