/**
 * FFmpeg's names (`-input_format`) of the kernel's pixel formats (videodev2.h), as far as its V4L2 input reads them
 * (libavdevice/v4l2-common.c of 5.1). Depth maps and a sensor's raw mosaic, which it reads too, are no pictures.
 */
const names: Readonly<Record<string, string>> = {
  H264: "h264",
  MJPG: "mjpeg",
  JPEG: "mjpeg",
  YUYV: "yuyv422",
  UYVY: "uyvy422",
  NV12: "nv12",
  YU12: "yuv420p",
  // FFmpeg tries both orders of the planes
  YV12: "yuv420p",
  "422P": "yuv422p",
  "411P": "yuv411p",
  RGB3: "rgb24",
  BGR3: "bgr24",
  RGB4: "0rgb",
  BGR4: "bgr0",
  RGBP: "rgb565le",
  RGBR: "rgb565be",
  RGBO: "rgb555le",
  RGBQ: "rgb555be",
  GREY: "gray",
  Y16: "gray16le",
  /** the frames of a synthetic camera */
  RAW: "raw"
}

export const inputFormatOf = (pixelFormat: string): string | undefined => names[pixelFormat]
