#include "image/tar_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>

#include "image/tar_builder.h"
#include "image/tar_fields.h"
#include "image/tar_format.h"
#include "image/temporary_folder.h"

namespace podium::image {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct ReadEntry {
  TarEntry entry;
  std::string data;  // with its holes
};

Result<std::vector<ReadEntry>> ReadArchive(const std::string& archive) {
  MemorySource source(archive);
  TarReader tar(source);
  std::vector<ReadEntry> entries;
  while (true) {
    ReadEntry read;
    TRY(const bool more, tar.Next(&read.entry));
    if (!more) return entries;
    read.data.resize(std::min<uint64_t>(read.entry.size, 10'000'000));
    TarPiece piece;
    while (true) {
      TRY(const bool data, tar.NextPiece(&piece));
      if (!data) break;
      read.data.replace(piece.offset, piece.bytes.size(), piece.bytes);
    }
    entries.push_back(std::move(read));
  }
}

std::string ErrorOf(const std::string& archive) {
  const auto entries = ReadArchive(archive);
  return entries.ok() ? "" : entries.error().message();
}

std::string OutputOf(const std::string& command) {
  FILE* pipe = popen(command.c_str(), "re");
  std::string output;
  char buffer[65536];
  while (const size_t count = fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, count);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return output;
}

// GNU tar writes, we read.
TEST(TarReaderTest, ReadsWhatGnuTarWrites) {
  const TemporaryFolder folder;
  const fs::path& root = folder.path();
  const std::string deep = std::string(120, 'd') + '/' + std::string(130, 'f');
  fs::create_directories(root / std::string(120, 'd'));
  std::ofstream(root / "short") << "some text";
  std::ofstream(root / deep) << "deep text";
  fs::create_symlink(deep, root / "link");
  fs::create_hard_link(root / "short", root / "z-hard");
  {
    std::ofstream holes(root / "holes");
    for (int i = 1; i < 40; ++i) holes.seekp(i * 200000) << "part" << i;
  }
  fs::resize_file(root / "holes", 9'000'000);
  std::string expected;
  expected.resize(9'000'000);
  for (int i = 1; i < 40; ++i) {
    const std::string part = "part" + std::to_string(i);
    expected.replace(static_cast<size_t>(i) * 200000, part.size(), part);
  }
  for (const char* options :
       {"--format=gnu -S", "--format=gnu", "--format=posix -S", "--format=posix",
        "--format=posix -S --sparse-version=0.0", "--format=posix -S --sparse-version=0.1"}) {
    const auto entries =
        ReadArchive(OutputOf("tar -C " + root.string() + ' ' + options + " --sort=name -cf - ."));
    ASSERT_TRUE(entries.ok()) << options << entries.error().message();
    std::map<std::string, ReadEntry> by_path;
    for (const ReadEntry& read : *entries) by_path[read.entry.path] = read;
    EXPECT_EQ(by_path.size(), 7u) << options;
    EXPECT_EQ(by_path["./short"].data, "some text") << options;
    EXPECT_EQ(by_path["./" + deep].data, "deep text") << options;
    EXPECT_EQ(by_path["./link"].entry.link, deep) << options;
    EXPECT_EQ(by_path["./z-hard"].entry.link, "./short") << options;
    EXPECT_EQ(by_path["./holes"].entry.size, expected.size()) << options;
    EXPECT_TRUE(by_path["./holes"].data == expected) << options;
  }
  const auto old = ReadArchive(OutputOf("tar -C " + root.string() + " --format=v7 -cf - short"));
  ASSERT_TRUE(old.ok());
  EXPECT_EQ(old->front().data, "some text");
}

TEST(TarReaderTest, NumbersInHeaders) {
  auto number = [](std::string field) {
    field.resize(12, '\0');
    return tar::Number(field, {0, 12});
  };
  EXPECT_EQ(number("00000000017"), 15);
  EXPECT_EQ(number("   17 "), 15);
  EXPECT_EQ(number(""), 0);
  EXPECT_EQ(number("18"), std::nullopt);
  EXPECT_EQ(number("-1"), std::nullopt);
  EXPECT_EQ(number("1 7"), std::nullopt);
  EXPECT_EQ(number(std::string("\x80\0\0\0\0\0\0\0\0\0\x01\x02", 12)), 258);
  EXPECT_EQ(number(std::string(12, '\xff')), -1);
  EXPECT_EQ(number(std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12)), INT64_MAX);
  EXPECT_EQ(number(std::string("\x80\0\0\0\x80\0\0\0\0\0\0\0", 12)), std::nullopt);
  EXPECT_EQ(number(std::string("\x81\0\0\0\0\0\0\0\0\0\0\0", 12)), std::nullopt);
}

TEST(TarReaderTest, TimesOfPax) {
  auto time = [](const char* text) -> std::pair<int64_t, int64_t> {
    const auto read = tar::PaxTime(text);
    return read ? std::pair<int64_t, int64_t>(read->tv_sec, read->tv_nsec)
                : std::pair<int64_t, int64_t>(0, -1);
  };
  using Time = std::pair<int64_t, int64_t>;
  EXPECT_EQ(time("17"), Time(17, 0));
  EXPECT_EQ(time("17."), Time(17, 0));
  EXPECT_EQ(time("17.5"), Time(17, 500000000));
  EXPECT_EQ(time("17.1234567899"), Time(17, 123456789));
  EXPECT_EQ(time("-17.25"), Time(-18, 750000000));
  EXPECT_EQ(time("-0.5"), Time(-1, 500000000));
  for (const char* wrong : {"", ".5", "x", "1.x", "1.-5", "99999999999999999999"}) {
    EXPECT_EQ(time(wrong), Time(0, -1)) << wrong;
  }
}

TEST(TarReaderTest, DamageIsAnError) {
  const std::string good = TarBuilder().File("a", std::string(700, 'x')).File("b", "y").Finish();
  EXPECT_EQ(ErrorOf(good), "");
  // The end may be missing, as Go reads it, but nothing before it.
  const size_t blocks = good.size() / tar::kBlock;
  for (size_t length = 1; length < good.size(); ++length) {
    const bool whole = length == 3 * tar::kBlock || length >= good.size() - 2 * tar::kBlock;
    const std::string cut = good.substr(0, length);
    if (length % tar::kBlock == 0 || length % 97 == 0) {
      EXPECT_EQ(ErrorOf(cut).empty(), whole && length % tar::kBlock == 0)
          << length << " of " << blocks;
    }
  }
  std::string changed = good;
  changed[10] = 'z';
  EXPECT_THAT(ErrorOf(changed), HasSubstr("checksum is wrong"));
  EXPECT_THAT(ErrorOf(std::string(512, '\0') + good), HasSubstr("a block of zeros stands inside"));
  EXPECT_THAT(ErrorOf(TarBuilder().Add({.path = "a", .type = 'Z'}).Finish()),
              HasSubstr("unhandled tar header type 'Z'"));
  EXPECT_THAT(
      ErrorOf(TarBuilder().Add({.path = "a", .pax = {{"path", std::string("a\0b", 3)}}}).Finish()),
      HasSubstr("a name has a NUL byte"));
  for (const char* records : {"x", "5 a=b\n", "100 a=b\n", "6 =bc\n", "6 abc\n", "0 a=b\n",
                              "6 a=bc", "99999999999999999999 a=b\n"}) {
    EXPECT_THAT(
        ErrorOf(
            TarBuilder().Add({.path = "x", .type = 'x', .data = records}).File("a", "").Finish()),
        HasSubstr("a pax record has"))
        << records;
  }
  EXPECT_THAT(ErrorOf(TarBuilder().Add({.path = "x", .type = 'x', .data = "6 a=b\n"}).Finish()),
              HasSubstr("ends behind an extended header"));
}

TEST(TarReaderTest, MapsOfSparseFilesAreChecked) {
  auto with = [](const std::string& map, const std::string& size) {
    return ErrorOf(TarBuilder()
                       .Add({.path = "s",
                             .data = "abcd",
                             .pax = {{"GNU.sparse.size", size}, {"GNU.sparse.map", map}}})
                       .Finish());
  };
  EXPECT_EQ(with("0,4", "4"), "");
  EXPECT_EQ(with("0,2,2,2", "4"), "");
  EXPECT_EQ(with("0,2,7,0,9,2", "11"), "");
  EXPECT_THAT(with("0,2,1,2", "9"), HasSubstr("out of order"));
  EXPECT_THAT(with("4,2,0,2", "9"), HasSubstr("out of order"));
  EXPECT_THAT(with("0,4", "3"), HasSubstr("out of order"));
  EXPECT_THAT(with("0,4,5", "9"), HasSubstr("out of order"));
  EXPECT_THAT(with("0,3", "9"), HasSubstr("not as long"));
  EXPECT_THAT(with("9223372036854775807,9223372036854775807", "9223372036854775807"),
              HasSubstr("out of order"));
  EXPECT_THAT(with("0,x", "9"), HasSubstr("no numbers"));
  std::string many = "0,4";
  for (size_t i = 0; i <= kMaxSparsePieces; ++i) many += ",4,0";
  EXPECT_THAT(with(many, "9"),
              ::testing::AnyOf(HasSubstr("too many parts"), HasSubstr("more than 1048576")));
}

TEST(TarReaderTest, GlobalHeadersChangeNothing) {
  const auto entries = ReadArchive(TarBuilder()
                                       .Add({.path = "g", .type = 'g', .data = "12 path=evil\n"})
                                       .File("a", "x")
                                       .Finish());
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 1u);
  EXPECT_EQ(entries->front().entry.path, "a");
}

}  // namespace
}  // namespace podium::image
