#include "base/growing_heap.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace keyvigil {
namespace {

constexpr std::uintptr_t kHugePageBytes = std::uintptr_t{2} << 20;
constexpr int kStepBytes = 64 << 20;
constexpr int kLargestInHeapBytes = 32 << 20;  // glibc takes no more

// Down to whole pages.
char* end_of_heap() {
  char* end = static_cast<char*>(sbrk(0));
  return end - reinterpret_cast<std::uintptr_t>(end) % kHugePageBytes;
}

}  // namespace

GrowingHeap::GrowingHeap() : offered_to_(end_of_heap()) {
  mallopt(M_TOP_PAD, kStepBytes);
  mallopt(M_TRIM_THRESHOLD, 2 * kStepBytes);
  mallopt(M_MMAP_THRESHOLD, kLargestInHeapBytes);
}

void GrowingHeap::offer() {
  char* end = end_of_heap();
  if (end <= offered_to_) { return; }
  // What it says is of no consequence: pages stay as they are then.
  (void)madvise(offered_to_, static_cast<std::size_t>(end - offered_to_), MADV_HUGEPAGE);
  offered_to_ = end;
}

}  // namespace keyvigil
