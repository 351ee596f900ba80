// Starts Swagger UI on keymux's own description, which lies beside the page.
// Nothing is asked of other hosts: the validator's badge is off, and the page takes no address from its own.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  filter: true,
  persistAuthorization: false,
  queryConfigEnabled: false,
  validatorUrl: null,
});
