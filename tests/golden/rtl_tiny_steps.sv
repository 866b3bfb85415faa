// Written by Bitsmith; project.json says by which version and from which net.
// steps = thresholds(act) 3 levels : i2[2]
// Combinational.
module tiny_steps (
    input  logic [5:0] x,  // 2 x unsigned 3 bits, element 0 in the lowest bits
    output logic [3:0] y  // 2 x signed 2 bits, element 0 in the lowest bits
);
  // stage 0
  wire [2:0] x0 = x[0+:3];
  wire [2:0] x1 = x[3+:3];
  wire [1:0] n2;
  bitsmith_threshold_count #(.WX(4), .WY(2), .LEVELS(3), .THRESHOLDS(12'h632)) u2 (.x(4'(x0)), .y(n2));
  wire signed [1:0] n4 = n2 - 2'd2;
  wire [1:0] n5;
  bitsmith_threshold_count #(.WX(4), .WY(2), .LEVELS(3), .THRESHOLDS(12'h632)) u5 (.x(4'(x1)), .y(n5));
  wire signed [1:0] n6 = n5 - 2'd2;

  assign y[0+:2] = n4;
  assign y[2+:2] = n6;

  logic unused_bits;  // some bits of these are read by nobody
  assign unused_bits = ^{x};
endmodule
