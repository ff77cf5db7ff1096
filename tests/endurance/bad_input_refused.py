"""The table of pairs that are quarantined, and the reasons."""

import numpy as np

from tests.endurance import bad_input_files as files
from tests.endurance.bad_input_files import ALBEDO, BEAUTY, SIDE, Case, with_beauty
from tests.support import broken_images as broken

NO_COLOUR = r"expected red, green and blue"
NO_IMAGE = r"not an image, or a damaged one"
DAMAGED = r": damaged or cut off"
OUTSIDE = r": leaves the folder of the data"

REFUSED = [
    Case(
        "cut-exr",
        "EXR that is cut off",
        with_beauty("a.exr", broken.cut),
        rf"cut-exr/a\.exr: .*{DAMAGED}",
    ),
    Case(
        "cut-png",
        "PNG that is cut off",
        with_beauty("a.png", broken.cut),
        rf"cut-png/a\.png: .*{DAMAGED}",
    ),
    Case(
        "cut-jpeg",
        "JPEG that is cut off",
        with_beauty("a.jpg", broken.cut),
        rf"cut-jpeg/a\.jpg: .*{DAMAGED}",
    ),
    Case(
        "wrong-crc",
        "PNG with a wrong CRC",
        with_beauty("a.png", broken.png_with_wrong_crc),
        rf"wrong-crc/a\.png: .*CRC error{DAMAGED}",
    ),
    Case(
        "zero-byte",
        "file of no bytes",
        with_beauty("a.exr", broken.empty),
        r"zero-byte/a\.exr: empty file",
    ),
    Case(
        "text",
        "text under the name .exr",
        with_beauty("a.exr", broken.text),
        rf"text/a\.exr: .*: {NO_IMAGE}",
    ),
    Case(
        "missing", "albedo that is not there", files.missing, r"missing/albedo\.exr: no such file"
    ),
    Case(
        "folder",
        "folder under an image's name",
        files.in_place_of_albedo(lambda path: path.mkdir()),
        r"folder/albedo\.exr: a folder, expected a file",
    ),
    Case(
        "long-name",
        "name of 300 letters",
        files.long_name,
        r"long-name/a+\.exr: File name too long",
    ),
    Case(
        "circle",
        "link to itself",
        files.in_place_of_albedo(lambda path: path.symlink_to(path.name)),
        r"circle/albedo\.exr: links that lead in a circle",
    ),
    Case(
        "1x1",
        "1 x 1 pixel",
        files.sized(1, 1),
        r"1 x 1 is too small: it would be enlarged 16 times",
    ),
    Case(
        "1x4096",
        "1 x 4096 pixels",
        files.sized(4096, 1),
        r"1 x 4096 is too small: it would be enlarged 16 times",
    ),
    Case(
        "huge-png",
        "PNG header of 60000 x 60000",
        with_beauty("a.png", broken.huge_png),
        rf"huge-png/a\.png: .*claims a .* MB image.*: {NO_IMAGE}",
    ),
    Case(
        "huge-exr",
        "EXR header of 60000 x 60000",
        with_beauty("a.exr", broken.huge_exr),
        rf"huge-exr/a\.exr: .*claims a .* MB image.*: {NO_IMAGE}",
    ),
    Case(
        "huge-hdr",
        "Radiance header of 60000 x 60000",
        with_beauty("a.hdr", broken.huge_hdr),
        r"huge-hdr/a\.hdr: (.*exceeds the .* MB limit: .*|60000 x 60000 pixels: .*)",
    ),
    Case(
        "huge-display",
        "EXR display window of 60000 x 60000",
        with_beauty("a.exr", broken.huge_display),
        r"huge-display/a\.exr: 60000 x 60000 pixels: more than 128 megapixels",
    ),
    Case(
        "grey",
        "grey, 8 bits",
        with_beauty("a.png", broken.grey),
        rf"grey/a\.png: 1 channel\(s\) \(Y\), {NO_COLOUR}; .* grey_beauty .*",
    ),
    Case(
        "grey-alpha",
        "grey and alpha",
        with_beauty("a.png", broken.grey_alpha),
        rf"grey-alpha/a\.png: 2 channel\(s\) \(Y, A\), {NO_COLOUR}; .* grey_beauty .*",
    ),
    Case(
        "grey-16",
        "grey, 16 bits",
        with_beauty("a.png", broken.grey_16_bit),
        rf"grey-16/a\.png: 1 channel\(s\) \(Y\), {NO_COLOUR}; .* grey_beauty .*",
    ),
    Case(
        "cmyk",
        "JPEG in CMYK",
        with_beauty("a.jpg", broken.cmyk_jpeg),
        rf"cmyk/a\.jpg: CMYK colours, {NO_COLOUR}; .* ICC profile is used",
    ),
    Case(
        "odd-channels",
        "EXR with channels c0 … c9",
        with_beauty("a.exr", broken.odd_channels),
        rf"odd-channels/a\.exr: 10 channel\(s\) \(c0, .*, c7, …\), {NO_COLOUR}",
    ),
    Case(
        "windows-apart",
        "EXR data window beside the display window",
        with_beauty("a.exr", files.window((40, 0), (SIDE, SIDE))),
        r"windows-apart/a\.exr: the data window lies outside the display window",
    ),
    Case(
        "two-colour-parts",
        "EXR with two parts in colour",
        with_beauty("a.exr", files.parts("rgb-1", "rgb-2")),
        r"two-colour-parts/a\.exr: parts rgb-1, rgb-2: 2 parts hold red, green and blue, "
        r"expected one",
    ),
    Case(
        "black",
        "beauty all black",
        files.pair(np.zeros_like(BEAUTY)),
        r"beauty is black: percentile 90 of its brightness is 0",
    ),
    Case(
        "all-nan",
        "albedo all NaN",
        files.pair(albedo=np.full_like(ALBEDO, np.nan)),
        r"no pixel is finite and non-negative in both images",
    ),
    Case(
        "all-masked",
        "mask all black",
        files.pair(mask=np.zeros((SIDE, SIDE, 1), np.float32)),
        r"every pixel is masked",
    ),
    Case(
        "mask-size",
        "mask of another size",
        files.pair(mask=np.ones((8, 12, 1), np.float32)),
        r"mask is 12 x 8 but beauty is 16 x 16",
    ),
    Case(
        "albedo-size",
        "albedo of another size",
        files.pair(albedo=broken.noise(12, 8)),
        r"albedo is 8 x 12 but beauty is 16 x 16",
    ),
    Case(
        "absolute",
        "absolute name in the list",
        files.absolute,
        rf"/.*/absolute/albedo\.exr{OUTSIDE}",
    ),
    Case(
        "dotted",
        "name that leaves the folder by ..",
        files.dotted,
        rf"dotted/\.\./\.\./dotted\.exr{OUTSIDE}",
    ),
    Case(
        "linked-out",
        "link to a file outside",
        files.linked_out,
        rf"linked-out/albedo\.exr{OUTSIDE}",
    ),
    Case(
        "linked-folder",
        "link to a folder outside",
        files.linked_folder,
        rf"linked-folder/beauty\.exr{OUTSIDE}",
    ),
    Case(
        "rewritten",
        "albedo rewritten while it is read",
        files.large,
        r"rewritten/albedo\.exr: changed while it was read",
    ),
]
