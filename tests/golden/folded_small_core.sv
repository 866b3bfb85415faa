// Written by Bitsmith; project.json says by which version and from which net.
// Net small: all stages and the streams between them.
module small_core (
    input  logic clk,
    input  logic resetn,
    input  logic s_valid,
    output logic s_ready,
    input  logic [2:0] s_data,  // 1 x 3 bits
    output logic m_valid,
    input  logic m_ready,
    output logic [8:0] m_data  // 1 x 9 bits
);
  logic conv_window_0_valid, conv_window_0_ready;
  logic [2:0] conv_window_0_data;
  logic conv_0_valid, conv_0_ready;
  logic [5:0] conv_0_data;
  logic conv_to_1_0_valid, conv_to_1_0_ready;
  logic [2:0] conv_to_1_0_data;
  logic pool_window_0_valid, pool_window_0_ready;
  logic [2:0] pool_window_0_data;
  logic pool_0_valid, pool_0_ready;
  logic [2:0] pool_0_data;
  logic pool_to_4_0_valid, pool_to_4_0_ready;
  logic [11:0] pool_to_4_0_data;
  logic fc_0_valid, fc_0_ready;
  logic [8:0] fc_0_data;

  small_conv_window u_conv_window (
      .clk(clk),
      .resetn(resetn),
      .s_valid({s_valid}),
      .s_ready({s_ready}),
      .s_data({s_data}),
      .m0_valid(conv_window_0_valid),
      .m0_ready(conv_window_0_ready),
      .m0_data(conv_window_0_data)
  );

  small_conv u_conv (
      .clk(clk),
      .resetn(resetn),
      .s_valid({conv_window_0_valid}),
      .s_ready({conv_window_0_ready}),
      .s_data({conv_window_0_data}),
      .m0_valid(conv_0_valid),
      .m0_ready(conv_0_ready),
      .m0_data(conv_0_data)
  );

  small_conv_to_1 u_conv_to_1 (
      .clk(clk),
      .resetn(resetn),
      .s_valid({conv_0_valid}),
      .s_ready({conv_0_ready}),
      .s_data({conv_0_data}),
      .m0_valid(conv_to_1_0_valid),
      .m0_ready(conv_to_1_0_ready),
      .m0_data(conv_to_1_0_data)
  );

  small_pool_window u_pool_window (
      .clk(clk),
      .resetn(resetn),
      .s_valid({conv_to_1_0_valid}),
      .s_ready({conv_to_1_0_ready}),
      .s_data({conv_to_1_0_data}),
      .m0_valid(pool_window_0_valid),
      .m0_ready(pool_window_0_ready),
      .m0_data(pool_window_0_data)
  );

  small_pool u_pool (
      .clk(clk),
      .resetn(resetn),
      .s_valid({pool_window_0_valid}),
      .s_ready({pool_window_0_ready}),
      .s_data({pool_window_0_data}),
      .m0_valid(pool_0_valid),
      .m0_ready(pool_0_ready),
      .m0_data(pool_0_data)
  );

  small_pool_to_4 u_pool_to_4 (
      .clk(clk),
      .resetn(resetn),
      .s_valid({pool_0_valid}),
      .s_ready({pool_0_ready}),
      .s_data({pool_0_data}),
      .m0_valid(pool_to_4_0_valid),
      .m0_ready(pool_to_4_0_ready),
      .m0_data(pool_to_4_0_data)
  );

  small_fc u_fc (
      .clk(clk),
      .resetn(resetn),
      .s_valid({pool_to_4_0_valid}),
      .s_ready({pool_to_4_0_ready}),
      .s_data({pool_to_4_0_data}),
      .m0_valid(fc_0_valid),
      .m0_ready(fc_0_ready),
      .m0_data(fc_0_data)
  );

  assign m_valid = fc_0_valid;
  assign fc_0_ready = m_ready;
  assign m_data = fc_0_data;
endmodule
