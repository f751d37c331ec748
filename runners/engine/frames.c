#include "runners/engine/frames.h"

static int begin_frame(struct frames *frames, struct error *err) {
    const unsigned char *h = frames->header;
    if (h[0] > 3 || h[1] != 0 || h[2] != 0 || h[3] != 0)
        return error_set(err, ERROR_PROTOCOL,
                         "the engine's log stream holds no frame where one begins");
    frames->left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
    if (frames->left > 0)
        return 0;
    if (h[0] == 3)
        return error_set(err, ERROR_ENGINE,
                         "the engine's log stream broke, and it did not say why");
    frames->header_length = 0;
    return 0;
}

int frames_feed(struct frames *frames, const char *bytes, size_t length, struct error *err) {
    while (length > 0) {
        if (frames->header_length < sizeof frames->header) {
            frames->header[frames->header_length++] = (unsigned char)*bytes++;
            length--;
            if (frames->header_length == sizeof frames->header && begin_frame(frames, err) < 0)
                return -1;
            continue;
        }
        size_t part = length < frames->left ? length : frames->left;
        if (frames->header[0] == 3)
            return error_set(err, ERROR_ENGINE, "the engine's log stream broke: %.*s",
                             (int)(part < 200 ? part : 200), bytes);
        if (frames->on_bytes(frames->context, frames->header[0] == 2 ? 2 : 1, bytes, part, err) < 0)
            return -1;
        bytes += part;
        length -= part;
        frames->left -= (uint32_t)part;
        if (frames->left == 0)
            frames->header_length = 0;
    }
    return 0;
}

bool frames_whole(const struct frames *frames) {
    return frames->header_length == 0;
}
