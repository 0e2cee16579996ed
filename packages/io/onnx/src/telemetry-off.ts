/**
 * From 1.29 on ONNX Runtime sends usage events to its maker from Linux and macOS too, unless this variable is set before
 * its library is loaded. Nothing of an installation leaves it unasked: whoever wants those events sets it to 0.
 */
process.env.ORT_DISABLE_TELEMETRY ??= '1';
