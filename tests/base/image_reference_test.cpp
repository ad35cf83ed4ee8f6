#include "base/image_reference.h"

#include <gtest/gtest.h>

#include <string>

namespace podium {
namespace {

#define DIGEST "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

TEST(ImageReferenceTest, NormalizesWhatPeopleWrite) {
  struct {
    const char* text;
    ImageReference want;
    const char* string;
    const char* familiar;
  } const cases[] = {
      {"nginx", {"docker.io", "library/nginx", "", ""}, "docker.io/library/nginx", "nginx"},
      {"nginx:1.25",
       {"docker.io", "library/nginx", "1.25", ""},
       "docker.io/library/nginx:1.25",
       "nginx:1.25"},
      {"library/nginx", {"docker.io", "library/nginx", "", ""}, "docker.io/library/nginx", "nginx"},
      {"me/app:Latest",
       {"docker.io", "me/app", "Latest", ""},
       "docker.io/me/app:Latest",
       "me/app:Latest"},
      {"docker.io/nginx",
       {"docker.io", "library/nginx", "", ""},
       "docker.io/library/nginx",
       "nginx"},
      {"index.docker.io/nginx:2",
       {"docker.io", "library/nginx", "2", ""},
       "docker.io/library/nginx:2",
       "nginx:2"},
      {"docker.io/library/a/b",
       {"docker.io", "library/a/b", "", ""},
       "docker.io/library/a/b",
       "library/a/b"},
      {"localhost/nginx", {"localhost", "nginx", "", ""}, "localhost/nginx", "localhost/nginx"},
      {"localhost:5000/a/b:t",
       {"localhost:5000", "a/b", "t", ""},
       "localhost:5000/a/b:t",
       "localhost:5000/a/b:t"},
      {"Registry/nginx", {"Registry", "nginx", "", ""}, "Registry/nginx", "Registry/nginx"},
      {"[::1]:5000/nginx", {"[::1]:5000", "nginx", "", ""}, "[::1]:5000/nginx", "[::1]:5000/nginx"},
      {"nginx@" DIGEST,
       {"docker.io", "library/nginx", "", DIGEST},
       "docker.io/library/nginx@" DIGEST,
       "nginx@" DIGEST},
      {"a.b:1/c:t@" DIGEST, {"a.b:1", "c", "t", DIGEST}, "a.b:1/c:t@" DIGEST, "a.b:1/c:t@" DIGEST},
      // No domain by its letters, and so the first part of the path.
      {"a_b.c/d", {"", "a_b.c/d", "", ""}, "a_b.c/d", "a_b.c/d"},
      // Familiar names that look like a host and a port.
      {"host:80", {"docker.io", "library/host", "80", ""}, "docker.io/library/host:80", "host:80"},
      {"a.b", {"docker.io", "library/a.b", "", ""}, "docker.io/library/a.b", "a.b"},
      {"a__b/c---d", {"docker.io", "a__b/c---d", "", ""}, "docker.io/a__b/c---d", "a__b/c---d"},
  };
  for (const auto& [text, want, string, familiar] : cases) {
    const auto got = ImageReference::Parse(text);
    ASSERT_TRUE(got.ok()) << text << ": " << got.error().message();
    EXPECT_EQ(*got, want) << text << " is " << got->String();
    EXPECT_EQ(got->String(), string);
    EXPECT_EQ(got->Familiar(), familiar);
    EXPECT_EQ(got->IsNameOnly(), want.tag.empty() && want.digest.empty());
    for (const std::string& again : {got->String(), got->Familiar()}) {
      EXPECT_EQ(*ImageReference::Parse(again), *got) << again;
    }
  }
}

TEST(ImageReferenceTest, RefusesInUpstreamsWords) {
  const std::string format = "invalid reference format";
  struct {
    std::string text;
    std::string want;
  } const cases[] = {
      {"", format},
      {" nginx", format},
      {"nginx ", format},
      {"nginx:", format},
      {"nginx:-x", format},
      {"nginx:" + std::string(129, 'a'), format},
      {"nginx:latest@", format},
      {"nginx@sha256:abc", format},
      {"a//b", format},
      {"/a", format},
      {"a/", format},
      {"a..b", format},
      {"a___b", format},
      {"a_", format},
      {"-a.c/nginx", format},
      {"a.c:/nginx", format},
      {"a.c:x/nginx", format},
      {"[::1/nginx", format},
      {"Nginx", format + ": repository name (library/Nginx) must be lowercase"},
      {"a/Nginx:1", format + ": repository name (a/Nginx) must be lowercase"},
      {"A_b.c/d", "repository name must be lowercase"},
      {std::string(64, 'a'), "invalid repository name (" + std::string(64, 'a') +
                                 "), cannot specify 64-byte hexadecimal strings"},
      {std::string(248, 'b'), "repository name must not be more than 255 characters"},
      {"a.c/" + std::string(256, 'a'), "repository name must not be more than 255 characters"},
      {"nginx@md5:d41d8cd98f00b204e9800998ecf8427e", "unsupported digest algorithm"},
      {"nginx@sha256:d41d8cd98f00b204e9800998ecf8427e", "invalid checksum digest length"},
      {"nginx@sha256:" + std::string(64, 'A'), "invalid checksum digest format"},
  };
  for (const auto& [text, want] : cases) {
    const auto got = ImageReference::Parse(text);
    ASSERT_FALSE(got.ok()) << text;
    EXPECT_EQ(got.error().message(), want) << text;
    EXPECT_EQ(got.error().code(), Code::kInvalidArgument);
  }
}

TEST(ImageReferenceTest, TakesTheLongest) {
  EXPECT_TRUE(ImageReference::Parse(std::string(63, 'a')).ok());
  EXPECT_TRUE(ImageReference::Parse(std::string(247, 'b')).ok());
  EXPECT_TRUE(ImageReference::Parse("a.c/" + std::string(255, 'a')).ok());
  EXPECT_TRUE(ImageReference::Parse("nginx:" + std::string(128, 'a')).ok());
}

TEST(DigestTest, SaysWhatIsWrong) {
  EXPECT_EQ(DigestProblem(DIGEST), nullptr);
  EXPECT_EQ(DigestProblem("sha512:" + std::string(128, '0')), nullptr);
  for (const char* text : {"", ":", "sha256", "sha256:", ":00", "SHA256:00", "a..b:00", "a:?"}) {
    EXPECT_STREQ(DigestProblem(text), "invalid checksum digest format") << text;
  }
  EXPECT_STREQ(DigestProblem("sha384:00"), "invalid checksum digest length");
  EXPECT_STREQ(DigestProblem("a+b:=_-9Z"), "unsupported digest algorithm");
}

}  // namespace
}  // namespace podium
