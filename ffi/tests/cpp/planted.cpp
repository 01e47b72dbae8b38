// Defects on purpose, to see that a sanitizer finds them through the header: planted leak,
// use-after-free or short-buffer. Without a defect it ends well.
#include "check.hpp"

#include <memory>
#include <string_view>

int main(int argc, char **argv) {
    const std::string_view defect = argc > 1 ? argv[1] : "none";
    fixture f;
    sdi::bytes file = f.file();
    const sdi::bytes_view view = file;
    if (defect == "leak") {
        (void)file.release();
        return 0;
    }
    if (defect == "use-after-free") {
        file = sdi::bytes(); // and the view is used
    }
    const std::size_t len = view.size();
    const auto buffer = std::make_unique<std::uint8_t[]>(defect == "short-buffer" ? len - 1 : len);
    for (std::size_t i = 0; i < len; i++) {
        buffer[i] = view.data()[i];
    }
    return sdi::open(f.ring, {buffer.get(), len}) ? 0 : 1;
}
