#include "apiserver/request_info.h"

#include <gtest/gtest.h>

#include <string>

#include "http/url.h"

namespace podium::apiserver {
namespace {

struct Case {
  std::string method;
  std::string path;
  std::string query;
  std::string verb;
  std::string group;
  std::string version;
  std::string name_space;
  std::string resource;
  std::string subresource;
  std::string name;
};

// After the table of upstream's requestinfo_test.go.
const Case kResources[] = {
    {"GET", "/api/v1/namespaces", "", "list", "", "v1", "", "namespaces", "", ""},
    {"GET", "/api/v1/namespaces/other", "", "get", "", "v1", "other", "namespaces", "", "other"},
    {"GET", "/api/v1/namespaces/other/pods", "", "list", "", "v1", "other", "pods", "", ""},
    {"GET", "/api/v1/namespaces/other/pods/foo", "", "get", "", "v1", "other", "pods", "", "foo"},
    {"HEAD", "/api/v1/namespaces/other/pods/foo", "", "get", "", "v1", "other", "pods", "", "foo"},
    {"GET", "/api/v1/pods", "", "list", "", "v1", "", "pods", "", ""},
    {"HEAD", "/api/v1/pods", "", "list", "", "v1", "", "pods", "", ""},
    {"GET", "/api/v1/namespaces/other/pods/foo/status", "", "get", "", "v1", "other", "pods",
     "status", "foo"},
    {"GET", "/api/v1/namespaces/other/finalize", "", "get", "", "v1", "other", "namespaces",
     "finalize", "other"},
    {"PUT", "/api/v1/namespaces/other/status", "", "update", "", "v1", "other", "namespaces",
     "status", "other"},
    {"GET", "/api/v1/watch/pods", "", "watch", "", "v1", "", "pods", "", ""},
    {"GET", "/api/v1/pods", "watch=true", "watch", "", "v1", "", "pods", "", ""},
    {"GET", "/api/v1/pods", "watch=1", "watch", "", "v1", "", "pods", "", ""},
    {"GET", "/api/v1/pods", "watch=false", "list", "", "v1", "", "pods", "", ""},
    {"GET", "/api/v1/pods", "watch=0", "list", "", "v1", "", "pods", "", ""},
    {"GET", "/api/v1/watch/namespaces/other/pods", "", "watch", "", "v1", "other", "pods", "", ""},
    {"POST", "/api/v1/namespaces/other/pods", "", "create", "", "v1", "other", "pods", "", ""},
    {"PATCH", "/apis/apps/v1/namespaces/a/deployments/d/scale", "", "patch", "apps", "v1", "a",
     "deployments", "scale", "d"},
    {"DELETE", "/apis/apps/v1/namespaces/a/deployments/d", "", "delete", "apps", "v1", "a",
     "deployments", "", "d"},
    {"DELETE", "/apis/apps/v1/namespaces/a/deployments", "", "deletecollection", "apps", "v1", "a",
     "deployments", "", ""},
    {"GET", "/api/v1/proxy/nodes/n/logs/x", "", "proxy", "", "v1", "", "nodes", "", "n"},
    {"GET", "/api/v1/nodes/n/proxy/logs/x", "", "get", "", "v1", "", "nodes", "proxy", "n"},
};

TEST(RequestInfoTest, Resources) {
  for (const Case& wanted : kResources) {
    SCOPED_TRACE(wanted.method + " " + wanted.path + "?" + wanted.query);
    const auto query = http::ParseQuery(wanted.query);
    ASSERT_TRUE(query.ok());
    const auto info = ReadRequestInfo(wanted.method, wanted.path, *query);
    ASSERT_TRUE(info.ok());
    EXPECT_TRUE(info->is_resource);
    EXPECT_EQ(info->verb, wanted.verb);
    EXPECT_EQ(info->group, wanted.group);
    EXPECT_EQ(info->version, wanted.version);
    EXPECT_EQ(info->namespace_, wanted.name_space);
    EXPECT_EQ(info->resource, wanted.resource);
    EXPECT_EQ(info->subresource, wanted.subresource);
    EXPECT_EQ(info->name, wanted.name);
  }
}

TEST(RequestInfoTest, WhatIsNoResource) {
  for (const std::string path : {"/", "", "/api", "/api/v1", "/apis", "/apis/apps", "/apis/apps/v1",
                                 "/version", "/healthz/etcd", "/logs/a/b/c"}) {
    SCOPED_TRACE(path);
    const auto info = ReadRequestInfo("POST", path, {});
    ASSERT_TRUE(info.ok());
    EXPECT_FALSE(info->is_resource);
    EXPECT_EQ(info->verb, "post");
    EXPECT_EQ(info->path, path);
  }
}

TEST(RequestInfoTest, AWatchOfNothingIsRefused) {
  const auto info = ReadRequestInfo("GET", "/apis/apps/v1/watch", {});
  ASSERT_FALSE(info.ok());
  EXPECT_EQ(info.error().message(),
            "unable to determine kind and namespace from url, /apis/apps/v1/watch");
}

TEST(RequestInfoTest, ANameBySelector) {
  const http::QueryParameters query = {{"fieldSelector", "metadata.name=web,status.phase!=Failed"}};
  const auto list = ReadRequestInfo("GET", "/api/v1/namespaces/a/pods", query);
  ASSERT_TRUE(list.ok());
  EXPECT_EQ(list->verb, "list");
  EXPECT_EQ(list->name, "");
  EXPECT_EQ(list->asked_name(), "web");
  const http::QueryParameters hostile = {{"fieldSelector", "metadata.name=a/b"}};
  const auto other = ReadRequestInfo("GET", "/api/v1/namespaces/a/pods", hostile);
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(other->asked_name(), "");
}

TEST(RequestInfoTest, WhatAProxyIsAskedFor) {
  const std::string path = "/api/v1/namespaces/a/services/https:web:8443/proxy/x/y";
  const auto info = ReadRequestInfo("GET", path, {});
  ASSERT_TRUE(info.ok());
  ASSERT_EQ(info->parts.size(), 5U);
  EXPECT_EQ(info->parts[3], "x");
  EXPECT_EQ(info->parts[4], "y");
}

}  // namespace
}  // namespace podium::apiserver
