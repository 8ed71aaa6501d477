#include "base/growing_heap.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace keyvigil {
namespace {

// Whether any part of the heap is marked for huge pages.
bool heap_has_huge_pages() {
  std::ifstream maps("/proc/self/smaps");
  bool in_heap = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(':') == std::string::npos || line.find('-') < line.find(' ')) {
      in_heap = line.find("[heap]") != std::string::npos;
    }
    if (in_heap && line.starts_with("VmFlags:") && line.find(" hg") != std::string::npos) { return true; }
  }
  return false;
}

TEST(GrowingHeap, OffersWhatWasAdded) {
  if (!std::filesystem::exists("/sys/kernel/mm/transparent_hugepage")) {
    GTEST_SKIP() << "the kernel has no huge pages";
  }
  GrowingHeap heap;
  const void* before = sbrk(0);
  std::vector<std::unique_ptr<char[]>> kept;
  for (int i = 0; i < 64; ++i) { kept.push_back(std::make_unique<char[]>(std::size_t{1} << 20)); }
  if (sbrk(0) == before) { GTEST_SKIP() << "another allocator is in use"; }
  EXPECT_FALSE(heap_has_huge_pages());
  heap.offer();
  EXPECT_TRUE(heap_has_huge_pages());
  heap.offer();
  EXPECT_TRUE(heap_has_huge_pages());
}

}  // namespace
}  // namespace keyvigil
