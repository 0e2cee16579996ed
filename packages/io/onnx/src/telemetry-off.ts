/**
 * Since 1.29 ONNX Runtime sends usage events to its vendor from Linux and macOS too, unless this variable is set before
 * its library is loaded. No data leaves an installation by default: operators who want to send those events set it to
 * 0.
 */
process.env.ORT_DISABLE_TELEMETRY ??= '1';
